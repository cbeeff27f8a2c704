"""Several daemons of one task: they share its shards, and any of them may die."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.daemon.fleet import Beats
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Exchange
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

Death = Callable[[Replicator, FaultProxy], contextlib.AbstractContextManager[None]]


def test_scale_out_and_in(make_fleet: MakeFleet) -> None:
    """Daemons that come get their share, those that go give it back, and every key's changes arrive, rolling or not."""
    fleet = make_fleet()
    with Beats(fleet) as beats:
        fleet.start()
        fleet.wait_even(1)
        for daemons in (2, 3):
            while len(fleet.daemons) < daemons:
                fleet.start()
            fleet.wait_even(daemons)
            fleet.simulator.roll_over()
            fleet.simulator.split()
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        fleet.wait_even(3)
        leaver = fleet.daemons[1]
        mine = [key for shard, key in beats.keys.items() if shard in fleet.shards_of(leaver)]
        assert leaver.stop() == 0
        beats.wait_replicated(mine, since=time.monotonic())
        fleet.wait_even(2)
    fleet.wait_equal()
    assert {0} == {daemon.stop() for daemon in fleet.daemons if daemon is not leaver}


def test_finished_shards_count_for_nothing(make_fleet: MakeFleet) -> None:
    """The shards of each daemon are those that still have records, however many have ended before."""
    fleet = make_fleet(shards=2)
    with Beats(fleet) as beats:
        fleet.start()
        fleet.start()
        fleet.wait_even(2)
        for _ in range(2):
            for shard in fleet.simulator.open_shards():
                fleet.simulator.roll_over(shard.id)
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        fleet.wait_even(2)
        assert {lease.shard_id for lease in fleet.leases()} == {shard.id for shard in fleet.simulator.open_shards()}


@contextlib.contextmanager
def killed(daemon: Replicator, _: FaultProxy) -> Iterator[None]:
    """Gone without a word, and started anew."""
    daemon.process.kill()
    daemon.wait()
    yield
    daemon.start()


@contextlib.contextmanager
def suspended(daemon: Replicator, _: FaultProxy) -> Iterator[None]:
    """Stopped where it stands, its children too, and woken."""
    with daemon.suspended():
        yield


@contextlib.contextmanager
def cut_off(_: Replicator, checkpoints: FaultProxy) -> Iterator[None]:
    """Without its checkpoint table, but with both others."""
    with checkpoints.away():
        yield


@pytest.mark.parametrize("death", [killed, suspended, cut_off])
def test_another_daemon_takes_over(death: Death, make_fleet: MakeFleet) -> None:
    """Whichever way a daemon dies, the other writes its shards; when it is back, it gets its share."""
    fleet = make_fleet(shards=4)
    with FaultProxy(fleet.settings["kclEndpoint"]) as checkpoints, Beats(fleet) as beats:
        victim = fleet.start(kclEndpoint=checkpoints.endpoint)
        fleet.wait_even(1)
        fleet.start()
        fleet.wait_even(2)
        mine = [beats.keys[shard] for shard in fleet.shards_of(victim)]
        died = time.monotonic()
        with death(victim, checkpoints):
            beats.wait_replicated(mine, since=died)
        fleet.wait_even(2)
        beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        assert {0} == {daemon.stop() for daemon in fleet.daemons}


def test_a_daemon_cut_off_from_the_destination_alone(make_fleet: MakeFleet) -> None:
    """It keeps its shards and says why they wait, and writes them when it can; the other's are written meanwhile."""
    fleet = make_fleet(shards=4)
    with Beats(fleet) as beats:
        lonely = fleet.start(access_key="lonely")
        fleet.wait_even(1)
        fleet.start()
        fleet.wait_even(2)
        mine = fleet.shards_of(lonely)
        cut = fleet.proxy.inject(faults.drop(), when=lambda exchange: exchange.access_key == "lonely")
        cut.wait()
        since = time.monotonic()
        beats.wait_replicated([key for shard, key in beats.keys.items() if shard not in mine], since=since)
        until(lambda: lonely.events("writes_delayed"), "the warning")
        assert fleet.shards_of(lonely) == mine
        cut.clear()
        beats.wait_replicated(beats.keys.values(), since=since)


def test_a_hot_shard_starves_no_cold_one(make_fleet: MakeFleet) -> None:
    """While one key's many changes are written one after the other, those of another shard arrive.

    Most of the hot key's are let through only when the cold key's change has arrived, so that neither a quick
    destination nor a slow machine decides which is first.
    """
    fleet = make_fleet(shards=2, coalesce="false")
    changes, before = 1_000, 100
    with Beats(fleet) as beats:
        hot, cold = beats.keys.values()
        for number in range(changes):
            fleet.simulator.put({"id": {"S": hot}, "at": {"N": "0"}, "number": {"N": str(number)}})
        written = Counter[str]()

        def is_late(exchange: Exchange) -> bool:
            key = hot if f'"{hot}"'.encode() in exchange.body else cold
            written[key] += 1
            return key == hot and written[hot] > before

        late = fleet.proxy.inject(faults.hold(), when=is_late)
        fleet.start()
        late.wait()
        beats.wait_replicated([cold], since=time.monotonic())
        late.clear()
    fleet.wait_equal()


def test_a_batch_of_ten_lease_times(make_fleet: MakeFleet) -> None:
    """A slow destination costs a daemon no lease, though another would take it; each change is applied once."""
    fleet = make_fleet(shards=1, writeMode="item", applyThreads="1")
    keys = [f"slow-{number:03d}" for number in range(100)]  # half a second each; a lease is over after five
    for key in keys:
        fleet.simulator.put({"id": {"S": key}})
    wrote = set[str]()

    def is_change(exchange: Exchange) -> bool:
        is_one = b'"slow-' in exchange.body  # a start tries the destination, too
        wrote.update([exchange.access_key] if is_one else [])
        return is_one

    fleet.proxy.inject(faults.delay(0.5), when=is_change)
    slow = fleet.start(access_key="slow")
    until(lambda: fleet.proxy.writes, "the first write")
    fleet.start(access_key="eager")
    fleet.wait_equal()
    # A call whose answer a busy machine has brought too late is made again.
    heard = Counter(write.key["id"]["S"] for write in fleet.proxy.writes if write.heard)
    assert heard == Counter(keys)
    assert wrote == {"slow"}
    (lease,) = until(lambda: [lease for lease in fleet.leases() if (lease.checkpoint or "").isdigit()], "a checkpoint")
    assert lease.owner == fleet.owner(slow)
    assert slow.log().count(" shard_started ") == 1


def test_the_first_record_ever_written(make_fleet: MakeFleet) -> None:
    """A daemon that has waited on empty shards replicates what comes."""
    fleet = make_fleet(shards=2)
    fleet.start()
    fleet.wait_even(1)
    fleet.simulator.put({"id": {"S": "first"}})
    fleet.wait_equal()


def test_every_shard_begins_though_no_batch_gets_through(make_fleet: MakeFleet) -> None:
    """With one CPU a shard's first batch is often quicker than KCL's thread, which looks after all the others, too."""
    fleet = make_fleet(shards=8)
    for number in range(80):
        fleet.simulator.put({"id": {"S": f"key-{number}"}})
    assert len({event.shard_id for event in fleet.simulator.history}) == len(fleet.simulator.open_shards())
    away = fleet.proxy.inject(faults.error("ThrottlingException"), "PutItem", "BatchWriteItem")
    with on_one_cpu():
        daemon = fleet.start()
    until(lambda: len(daemon.events("shard_started")) == len(fleet.simulator.open_shards()), "every shard")
    away.clear()
    fleet.wait_equal()
    assert daemon.stop() == 0


@contextlib.contextmanager
def on_one_cpu() -> Iterator[None]:
    """What is started meanwhile has one CPU for good."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usual)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)
