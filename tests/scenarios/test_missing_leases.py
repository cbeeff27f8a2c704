"""Leases that somebody removed, or that can't be right: made anew, waited for, or said; never passed over."""

from __future__ import annotations

import signal

from processor.state.leases import SHARD_END
from tests.fakes.daemon.fleet import Fleet, out_of_order
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet
from tests.scenarios.test_lost_changes import copy, held, put, status


def checkpoint(fleet: Fleet, shard_id: str) -> str:
    """A shard's; empty where it has no lease."""
    lease = fleet.lease(shard_id)
    return (lease.checkpoint or "") if lease else ""


def backlog(fleet: Fleet) -> tuple[Replicator, str, str]:
    """A closed shard and its child, both with records and leases, nothing of them applied; the daemon is killed."""
    put(fleet, "parent")
    parent = fleet.simulator.open_shards()[0].id
    child = fleet.simulator.roll_over(parent).id
    put(fleet, "parent", 25)  # the same keys again, so that the order counts
    busy = fleet.proxy.inject(faults.error("ThrottlingException"), "PutItem", "BatchWriteItem")
    daemon = fleet.start()
    until(lambda: fleet.lease(child), "the child's lease")
    busy.wait()
    daemon.stop(signal.SIGKILL)
    busy.clear()
    return daemon, parent, child


def test_an_unread_parent_without_a_lease_is_read_first(make_fleet: MakeFleet) -> None:
    """Its child is not begun: the parent's lease is made, and the child waits for it."""
    fleet = make_fleet(shards=1)
    daemon, parent, child = backlog(fleet)
    fleet.forget(parent)
    report = status(fleet)
    assert {shard["shardId"]: shard["state"] for shard in report["shards"]} == {parent: "unowned", child: "waiting"}
    daemon.start()
    fleet.wait_equal()
    until(lambda: checkpoint(fleet, parent) == SHARD_END, "the parent's end")
    assert out_of_order(fleet.simulator.history, fleet.proxy.writes) == []
    assert daemon.events("lease_made")
    assert daemon.stop() == 0


def test_a_parent_that_is_not_found_once_is_waited_for(make_fleet: MakeFleet) -> None:
    """The lease table says once that there is no such lease: the child does not begin before its parent is done."""
    fleet = make_fleet(shards=1)
    daemon, parent, child = backlog(fleet)
    busy = fleet.proxy.inject(faults.error("ThrottlingException"), "PutItem", "BatchWriteItem")
    daemon.start()
    busy.wait()
    fleet.forget(parent)  # while it is being read
    made = ("lease_made", "lease_restored")  # by the watch of all shards, or by who had it, whichever looks first
    until(lambda: any(daemon.events(event) for event in made), "the parent's lease")
    until(lambda: checkpoint(fleet, parent) == "TRIM_HORIZON", "the parent's lease")
    busy.clear()
    fleet.wait_equal()
    of_child = [event for event in fleet.simulator.history if event.shard_id == child]
    written = [write.item for write in fleet.proxy.writes]
    begun = min(written.index(event.item) for event in of_child if event.item in written)
    # Whoever held the lease before may write what it had read once more, but not after the child's beginning.
    assert out_of_order(of_child, fleet.proxy.writes[begun:]) == []
    assert checkpoint(fleet, child).isdigit()
    assert daemon.stop() == 0


def test_a_parent_of_unknown_end_is_a_loss(make_fleet: MakeFleet) -> None:
    """Its lease is gone and its child begun: that is said, by status too, until the table is copied."""
    fleet = make_fleet(shards=2)
    parent = fleet.simulator.open_shards()[0].id
    daemon = fleet.start()
    put(fleet, "before")
    fleet.wait_equal()
    child = fleet.simulator.roll_over(parent).id
    put(fleet, "after")
    fleet.wait_equal()
    until(lambda: checkpoint(fleet, child).isdigit(), "the child's checkpoint")
    assert daemon.stop() == 0
    fleet.forget(parent)
    assert parent in {shard["shardId"] for shard in status(fleet)["shards"] if shard["lost"]}
    daemon.start()
    until(lambda: "ERROR changes_lost" in daemon.console, "the loss")
    assert held(fleet) == [parent]
    put(fleet, "on")
    fleet.wait_equal()
    copy(fleet)
    until(lambda: status(fleet)["exitStatus"] == 0, "a healthy task")
    assert checkpoint(fleet, parent) == SHARD_END
    assert daemon.stop() == 0


def test_a_finished_lease_of_an_open_shard_is_said(make_fleet: MakeFleet) -> None:
    """Wherever it comes from, nobody reads that shard: status and the daemon name it, with what mends it."""
    fleet = make_fleet(shards=2)
    daemon = fleet.start()
    put(fleet, "before")
    fleet.wait_equal()
    assert daemon.stop() == 0
    shard = fleet.simulator.open_shards()[0].id
    fleet.set_checkpoint(shard, SHARD_END)
    report = status(fleet)
    early = [each["shardId"] for each in report["shards"] if each["finishedEarly"]]
    assert (report["exitStatus"], early) == (1, [shard])
    assert any("finished though open" in str(finding) for finding in report["findings"])
    daemon.start()
    put(fleet, "after")
    until(lambda: f"ERROR shard_finished_early shard={shard}" in daemon.console, "the message")
    assert len(daemon.events("shard_finished_early")) == 1
    fleet.forget(shard)  # what the message asks for
    fleet.wait_equal()
    until(lambda: status(fleet)["exitStatus"] == 0, "a healthy task")
    assert daemon.stop() == 0
