"""Outages of either end, on the real daemon: said, survived, and nothing checkpointed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from processor.commands.demo.workload import Workload
from processor.state import leases
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.ended import has_ended
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

MakeReplicator = Callable[..., Replicator]
Live = Callable[..., Workload]
AWAY_SECONDS = 30
FAILOVER_SECONDS = 5  # failoverTimeMillis, by default


def test_a_destination_away_for_half_a_minute_loses_nothing(pair: Pair, replicator: MakeReplicator, live: Live) -> None:
    """While the destination refuses connections no checkpoint moves; it is said; afterwards all of it is applied."""
    with FaultProxy(pair.settings["destinationEndpoint"]) as proxy:
        pair.put("before")
        with replicator(pair.settings | {"destinationEndpoint": proxy.endpoint}) as running:
            pair.wait_for("before")
            before = pair.wait_checkpoint()
            with proxy.away():
                back = time.monotonic() + AWAY_SECONDS
                workload = live(seed=4, pause_seconds=0.02)
                until(lambda: running.events("writes_delayed"), "a line on the console")
                until(lambda: time.monotonic() > back, "the end of the outage")
                (lease,) = leases.read(pair.source, pair.checkpoint_table) or []
                assert before == lease.checkpoint
            workload.stop()
            pair.wait_equal()
            until(lambda: running.events("writes_delayed_over"), "the end on the console")
            assert len(running.events("writes_delayed")) < 6
            assert running.stop() == 0


def test_sigterm_while_the_destination_is_away_keeps_the_batch(pair: Pair, replicator: MakeReplicator) -> None:
    """The batch in hand can't be finished: after shutdownGraceMillis it ends with 5; the next start applies it."""
    with FaultProxy(pair.settings["destinationEndpoint"]) as proxy:
        settings = pair.settings | {"destinationEndpoint": proxy.endpoint, "shutdownGraceMillis": "3000"}
        pair.put("before")
        with replicator(settings) as running:
            pair.wait_checkpoint()
            with proxy.away():
                pair.put("during")
                until(lambda: running.events("writes_delayed"), "a line on the console")
                children = running.children()
                assert running.stop() == 5
                assert "batch still unapplied" in running.console
                until(lambda: all(has_ended(child) for child in children), "no child left")
            running.start()
            pair.wait_for("during")
            assert running.stop() == 0


def test_a_stream_that_hangs_is_said_while_it_does(pair: Pair, replicator: MakeReplicator) -> None:
    """The first read that gets no answer is said before it ends; the SDK alone would try five times, in silence."""
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.put("before")
        pair.wait_for("before")
        hung = proxy.inject(faults.hold(), "GetRecords")
        pair.put("during")
        until(lambda: "it is still waited for" in running.console, "the read that hangs on the console")
        assert "WARNING stream_unreadable " in running.console
        hung.clear()
        pair.wait_for("during")
        assert running.stop() == 0


def test_a_source_that_can_t_be_read_is_said_and_survived(pair: Pair, replicator: MakeReplicator) -> None:
    """SourceStreamsEndpoint is where the stream is read; when it refuses connections, the console says so."""
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.put("before")
        pair.wait_for("before")
        assert proxy.received["GetRecords"] > 0
        assert proxy.received["DescribeTable"] == 0
        with proxy.away():
            pair.put("during")
            until(lambda: "The source's stream can't be read" in running.console, "a line on the console")
            worth_a_line = time.monotonic() + 6  # a shorter outage ends without a word
            until(lambda: time.monotonic() > worth_a_line, "an outage")
        pair.wait_for("during")
        until(lambda: "can be read again" in running.console, "the end on the console")
        assert running.stop() == 0


def test_throttled_checkpoints_are_stored_in_the_end(pair: Pair, replicator: MakeReplicator) -> None:
    """A lease table that throttles delays checkpoints and loses none."""
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"kclEndpoint": proxy.endpoint}) as running,
    ):
        pair.put("before")
        pair.wait_for("before")
        pair.wait_checkpoint()
        fault = proxy.inject(faults.error("ProvisionedThroughputExceededException"), "UpdateItem", times=3)
        last = ""
        for number in range(5):
            pair.put(f"during-{number}")
            pair.wait_for(f"during-{number}")
        fault.wait(3)
        pair.wait_equal()
        last = pair.wait_checkpoint()
        pair.put("after")
        pair.wait_for("after")
        until(lambda: pair.wait_checkpoint() != last, "a later checkpoint")
        assert running.stop() == 0


def test_a_stream_that_can_t_be_opened_is_said(pair: Pair, replicator: MakeReplicator) -> None:
    """A refused GetShardIterator, which no preflight tries, is on the console; when it is allowed, it goes on."""
    with FaultProxy(pair.settings["sourceEndpoint"]) as proxy:
        fault = proxy.inject(faults.error("AccessDeniedException"), "GetShardIterator")
        running = replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}).start()
        pair.put("one")
        until(lambda: "The source's stream can't be read" in running.console, "a line on the console")
        assert pair.replicated() == {}
        fault.clear()
        pair.wait_for("one")
        assert running.stop() == 0


def test_a_shard_lost_and_retaken_by_the_same_daemon(pair: Pair, replicator: MakeReplicator) -> None:
    """Lease lost and retaken while the destination throttles: the old batch is given up, the next child writes it."""
    with (
        FaultProxy(pair.settings["destinationEndpoint"]) as destination,
        FaultProxy(pair.settings["sourceEndpoint"]) as checkpoints,
    ):
        endpoints = {"destinationEndpoint": destination.endpoint, "kclEndpoint": checkpoints.endpoint}
        with replicator(pair.settings | endpoints) as running:
            pair.put("before")
            pair.wait_checkpoint()
            fault = destination.inject(faults.error("ThrottlingException"))
            pair.put("key", version={"N": "1"})
            fault.wait(6)
            with checkpoints.away():
                until(lambda: "lease_lost" in running.log(), "the end of the lease")
            until(lambda: running.log().count("shard_started") > 1, "the lease retaken")
            pair.put("key", version={"N": "2"})
            fault.clear()
            pair.wait_equal()
            versions = [
                write.item["version"]["N"]
                for write in destination.writes
                if write.heard and write.item and "version" in write.item
            ]
            assert sorted(versions) == versions
            assert running.stop() == 0


def test_a_lease_that_a_late_checkpoint_brings_back(pair: Pair, replicator: MakeReplicator) -> None:
    """Expired, it takes heart from a checkpoint, when the child has given the shard up: all is applied all the same."""
    with (
        FaultProxy(pair.settings["destinationEndpoint"]) as destination,
        FaultProxy(pair.settings["sourceEndpoint"]) as leases_of,
        replicator(
            pair.settings | {"destinationEndpoint": destination.endpoint, "kclEndpoint": leases_of.endpoint}
        ) as running,
    ):
        pair.put("before")
        pair.wait_checkpoint()
        writing = destination.inject(faults.hold(), times=1)
        pair.put("one")
        writing.wait()
        renewal = leases_of.inject(faults.hold_and_refuse("AccessDeniedException"), "UpdateItem", times=1)
        checkpoint = leases_of.inject(faults.hold(), "UpdateItem", when=lambda each: b'"checkpoint"' in each.body)
        renewal.wait()
        over = time.monotonic() + FAILOVER_SECONDS
        writing.clear()
        pair.wait_for("one")
        until(lambda: time.monotonic() > over, "the end of the lease")
        renewal.clear()
        checkpoint.wait()
        pair.put("two")
        checkpoint.clear()
        pair.wait_for("two")
        assert running.stop() == 0
