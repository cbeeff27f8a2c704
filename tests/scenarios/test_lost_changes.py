"""What is lost of a shard holds that shard, and no other; a copy of the table lets it go on."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from processor.state.leases import SHARD_END
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.machine.command import command, end_of
from tests.fakes.network import faults
from tests.fakes.network.faulty_server import Exchange
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet


def put(fleet: Fleet, prefix: str, count: int = 20) -> dict[str, list[str]]:
    """Write some items to the source, each time other ones; returns their keys by shard."""
    keys: dict[str, list[str]] = {}
    for number in range(count):
        version = {"N": str(len(fleet.simulator.history))}
        event = fleet.simulator.put({"id": {"S": f"{prefix}-{number}"}, "version": version})
        assert event is not None
        keys.setdefault(event.shard_id, []).append(f"{prefix}-{number}")
    return keys


def status(fleet: Fleet) -> dict[str, Any]:
    """The report of ``./run.sh status``."""
    code, output, errors = end_of(command("status", fleet.settings, "--json"))
    report: dict[str, Any] = json.loads(output)
    assert (code, errors) == (report["exitStatus"], "")
    return report


def held(fleet: Fleet) -> list[str]:
    """The shards that status says are held for a loss."""
    return [hold["shardId"] for hold in status(fleet)["holds"] if hold["kind"] == "loss"]


def wait_replicated(fleet: Fleet, keys: list[str]) -> None:
    """Until the destination has these items."""
    until(lambda: all(fleet.replicated(key) for key in keys), f"{keys} at the destination")


def copy(fleet: Fleet) -> None:
    """Copy the table beside the replication."""
    code, _, errors = end_of(command("copy", fleet.settings, "--concurrent", "--restart", "--copySegments", "1"))
    assert code == 0, errors


@pytest.mark.parametrize("what", ["expired", "trimmed"])
def test_a_shard_with_lost_changes_waits_for_a_copy(what: str, make_fleet: MakeFleet) -> None:
    """One shard's records are gone while the task stands still: the others are replicated, it waits, and says so."""
    fleet = make_fleet(shards=3)
    simulator = fleet.simulator
    daemon = fleet.start()
    put(fleet, "before")
    fleet.wait_equal()
    assert daemon.stop() == 0
    lost, *healthy = [shard.id for shard in simulator.open_shards()]
    put(fleet, "lost", 40)
    if what == "expired":
        after = simulator.roll_over(lost).id
        simulator.expire(lost)
    else:
        simulator.trim(lost)
        after = simulator.roll_over(lost).id
    written = put(fleet, "later", 60)
    daemon.start()
    other = fleet.start()
    wait_replicated(fleet, [key for shard in healthy for key in written[shard]])
    until(lambda: held(fleet) == [lost], "the loss in status")
    assert status(fleet)["exitStatus"] == 1
    assert not any(fleet.replicated(key) for key in written[after])
    # Once by each daemon that comes to hold the shard: it may be moved, to balance the load.
    assert {1} == {each.console.count("ERROR changes_lost") for each in (daemon, other)} - {0}
    assert "copy --restart --concurrent" in daemon.console + other.console

    assert other.stop() == 0  # whoever goes on with the shard holds it, too, since the same time
    assert daemon.process.poll() is None
    copy(fleet)
    until(lambda: daemon.events("changes_lost_over"), "the end of the hold")
    fleet.wait_equal()
    until(lambda: status(fleet)["exitStatus"] == 0, "a healthy task")
    lease = fleet.lease(lost)
    assert lease is None or lease.checkpoint == SHARD_END
    assert daemon.stop() == 0


def test_a_shard_that_a_copy_let_go_on_is_not_held_again(make_fleet: MakeFleet) -> None:
    """A daemon that dies before the shard's next checkpoint meets the loss again: that copy still covers it."""
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    put(fleet, "before")
    fleet.wait_equal()
    assert daemon.stop() == 0
    put(fleet, "lost")
    (shard,) = [shard.id for shard in fleet.simulator.open_shards()]
    fleet.simulator.trim(shard)
    put(fleet, "later")
    daemon.start()
    until(lambda: "ERROR changes_lost" in daemon.console, "the loss")
    assert daemon.stop() == 0
    copy(fleet)  # with the daemon stopped it need not be beside it, but may
    busy = fleet.proxy.inject(faults.error("ThrottlingException"), "PutItem", "BatchWriteItem")
    daemon.start()
    busy.wait()
    daemon.stop(signal.SIGKILL)
    daemon.start()
    until(lambda: len(daemon.events("changes_lost_over")) == 2, "the end of the hold, once more")
    busy.clear()
    fleet.simulator.put({"id": {"S": "last"}})
    wait_replicated(fleet, ["last"])
    assert len(daemon.events("changes_lost")) == 1
    assert daemon.stop() == 0


def test_a_stream_that_is_gone_ends_the_daemon_only_when_the_table_says_so(make_fleet: MakeFleet) -> None:
    """DescribeStream alone is not believed; with the table's word for it there is nothing left to wait for."""
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    put(fleet, "before")
    fleet.wait_equal()
    fault = fleet.simulator.inject(
        faults.error("ResourceNotFoundException"), "DescribeStream", "GetRecords", "GetShardIterator"
    )
    fault.wait(30)
    assert daemon.process.poll() is None
    assert daemon.events("stream_unreadable")
    fault.clear()
    put(fleet, "after")
    fleet.wait_equal()
    assert "changes_lost" not in daemon.console
    fleet.simulator.delete_stream()
    failed = 5
    assert daemon.wait() == failed
    assert "no longer exists: the table was deleted" in daemon.console


def test_a_source_table_that_cannot_be_asked_ends_nothing(make_fleet: MakeFleet) -> None:
    """Where DescribeTable is denied nobody knows whether the stream is gone, so it is waited for."""
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    put(fleet, "before")
    fleet.wait_equal()
    denied = fleet.simulator.inject(faults.error("AccessDeniedException"), "DescribeTable")
    fault = fleet.simulator.inject(faults.error("ResourceNotFoundException"), "DescribeStream", "GetRecords")
    asked = fleet.simulator.inject(faults.error("ResourceNotFoundException"), "GetShardIterator", when=_is_daemons)
    denied.wait(4)
    assert daemon.process.poll() is None
    for each in (fault, asked, denied):
        each.clear()
    put(fleet, "after")
    fleet.wait_equal()
    assert daemon.stop() == 0


def _is_daemons(exchange: Exchange) -> bool:
    return exchange.access_key == "fleet"
