"""Shards that split and roll over: children begin when their parents are done, and nothing is lost or out of order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from processor.commands.demo.workload import Workload
from processor.state.leases import SHARD_END
from tests.fakes.daemon.fleet import Fleet, out_of_order
from tests.fakes.network import faults
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    """Four shards, and no daemon yet; nobody's lease is to end, nor a call to be given up, on a busy machine."""
    return make_fleet(shards=4, failoverTimeMillis="60000")


@pytest.fixture
def workload(fleet: Fleet) -> Iterator[Workload]:
    """A workload on the source that ends with the test."""
    workload = Workload(fleet.source, fleet.simulator.table, seed=1, pause_seconds=0.005)
    workload.start()
    yield workload
    workload.stop()


def wait_written(workload: Workload, count: int) -> None:
    """Until that many writes more are made at the source."""
    goal = workload.written + count
    until(lambda: workload.written >= goal, f"{count} writes at the source")


def wait_ended(fleet: Fleet, *shard_ids: str) -> None:
    """Until these shards are done."""

    def ended(shard_id: str) -> bool:
        lease = fleet.lease(shard_id)
        return lease is not None and lease.checkpoint == SHARD_END

    until(lambda: all(ended(shard_id) for shard_id in shard_ids), f"the end of {shard_ids}")


def test_children_go_on_where_their_parents_end(fleet: Fleet, workload: Workload) -> None:
    """While records flow a shard splits, one rolls over, and a child splits; each key's changes stay in order."""
    simulator = fleet.simulator
    running = fleet.start()
    until(lambda: len(fleet.proxy.writes) > 50, "the first writes")
    split, rolled = simulator.open_shards()[:2]
    left, right = simulator.split(split.id)
    child = simulator.roll_over(rolled.id)
    wait_written(workload, 100)
    simulator.split(left.id)
    wait_written(workload, 100)
    workload.stop()
    fleet.wait_equal()
    wait_ended(fleet, split.id, rolled.id, left.id)
    assert running.stop() == 0
    assert {right.id, child.id} < {shard.id for shard in simulator.open_shards()}
    assert out_of_order(simulator.history, fleet.proxy.writes) == []


def test_shards_that_end_while_nobody_reads(fleet: Fleet, workload: Workload) -> None:
    """A stopped task finds its shards closed, with two generations after them, and goes on from its checkpoints."""
    simulator = fleet.simulator
    running = fleet.start()
    until(lambda: len(fleet.proxy.writes) > 50, "the first writes")
    assert running.stop() == 0
    first = simulator.open_shards()
    for _ in range(2):
        wait_written(workload, 50)
        for shard in simulator.open_shards():
            simulator.roll_over(shard.id)
    workload.stop()
    running.start()
    fleet.wait_equal()
    wait_ended(fleet, *(shard.id for shard in first))
    assert running.stop() == 0
    assert out_of_order(simulator.history, fleet.proxy.writes) == []


def test_lineage_through_a_bad_network(fleet: Fleet, workload: Workload) -> None:
    """Throttling, 5xx and broken connections at the stream while shards split lose nothing."""
    simulator = fleet.simulator
    plan = faults.plan(seed=7, throttled=0.05, failed=0.05, dropped=0.05, dropped_after=0.05)
    running = fleet.start()
    until(lambda: len(fleet.proxy.writes) > 50, "the first writes")
    fault = simulator.follow(plan, "DescribeStream", "GetShardIterator", "GetRecords")
    ended = simulator.open_shards()
    for shard in ended:
        simulator.split(shard.id)
        wait_written(workload, 25)
    workload.stop()
    fleet.wait_equal()
    wait_ended(fleet, *(shard.id for shard in ended))
    fault.clear()
    assert running.stop() == 0
    assert out_of_order(simulator.history, fleet.proxy.writes) == []
