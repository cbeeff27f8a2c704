"""Shards that split and roll over: children begin when their parents are done, and nothing is lost or out of order."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from processor import leases
from processor.workload import Workload, create_table, scan
from tests.fakes import faults
from tests.fakes.fault_proxy import FaultProxy, Write
from tests.fakes.replicator import Replicator, until
from tests.fakes.simulated_stream import Event
from tests.fakes.stream_record import Item
from tests.fakes.streams_simulator import StreamsSimulator
from tests.scenarios.conftest import Servers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MakeReplicator = Callable[..., Replicator]
SHARD_END = "SHARD_END"


class Lineage:
    """A simulated source of four shards, a destination behind a proxy, and the settings of a task between them."""

    def __init__(self, servers: Servers, simulator: StreamsSimulator, proxy: FaultProxy) -> None:
        suffix = uuid.uuid4().hex[:8]
        self.simulator = simulator
        self.proxy = proxy
        self.source: DynamoDBClient = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=simulator.endpoint)
        self.checkpoints: DynamoDBClient = boto3.client(
            "dynamodb", region_name="us-east-1", endpoint_url=servers.source
        )
        self.destination: DynamoDBClient = boto3.client(
            "dynamodb", region_name="eu-west-1", endpoint_url=servers.destination
        )
        self.destination_table = f"destination-{suffix}"
        create_table(self.destination, self.destination_table, stream=False)
        self.settings = {
            "sourceRegion": "us-east-1",
            "sourceTable": simulator.table,
            "sourceEndpoint": simulator.endpoint,
            "destinationRegion": "eu-west-1",
            "destinationTable": self.destination_table,
            "destinationEndpoint": proxy.endpoint,
            "kclEndpoint": servers.source,
            "taskName": f"task-{suffix}",
        }

    def wait_equal(self) -> None:
        """Until the destination holds what the source does."""
        until(lambda: self.simulator.items() == scan(self.destination, self.destination_table), "source = destination")

    def wait_written(self, workload: Workload, count: int) -> None:
        """Until that many writes more are made at the source."""
        goal = workload.written + count
        until(lambda: workload.written >= goal, f"{count} writes at the source")

    def checkpoint(self, shard_id: str) -> str | None:
        """A shard's checkpoint; None while it has no lease."""
        found = leases.read(self.checkpoints, f"DynamoDBCrossRegionReplication{self.settings['taskName']}") or []
        return next((lease.checkpoint for lease in found if lease.shard_id == shard_id), None)

    def wait_ended(self, *shard_ids: str) -> None:
        """Until these shards are done."""
        until(lambda: all(self.checkpoint(shard_id) == SHARD_END for shard_id in shard_ids), f"the end of {shard_ids}")


@pytest.fixture
def lineage(servers: Servers) -> Iterator[Lineage]:
    """Fresh ones."""
    with StreamsSimulator(shards=4, seed=1) as simulator, FaultProxy(servers.destination) as proxy:
        yield Lineage(servers, simulator, proxy)


@pytest.fixture
def workload(lineage: Lineage) -> Iterator[Workload]:
    """A workload on the source that ends with the test."""
    workload = Workload(lineage.source, lineage.simulator.table, seed=1, pause_seconds=0.005)
    workload.start()
    yield workload
    workload.stop()


def out_of_order(history: list[Event], writes: list[Write]) -> list[Any]:
    """The writes of keys which, one after the other, are not what the source went through, with gaps or without."""
    versions: dict[str, list[Item | None]] = defaultdict(list)
    for event in history:
        versions[event.key["id"]["S"]].append(event.item)
    found = []
    for write in writes:
        later = versions[write.key["id"]["S"]]
        if write.item in later:
            del later[: later.index(write.item) + 1]
        else:
            found.append((write.key, write.item))
    return found


def test_children_go_on_where_their_parents_end(
    lineage: Lineage, workload: Workload, replicator: MakeReplicator
) -> None:
    """While records flow a shard splits, one rolls over, and a child splits; each key's changes stay in order."""
    simulator = lineage.simulator
    with replicator(lineage.settings) as running:
        until(lambda: len(lineage.proxy.writes) > 50, "the first writes")
        split, rolled = simulator.open_shards()[:2]
        left, right = simulator.split(split.id)
        child = simulator.roll_over(rolled.id)
        lineage.wait_written(workload, 100)
        simulator.split(left.id)
        lineage.wait_written(workload, 100)
        workload.stop()
        lineage.wait_equal()
        lineage.wait_ended(split.id, rolled.id, left.id)
        assert running.stop() == 0
    assert {right.id, child.id} < {shard.id for shard in simulator.open_shards()}
    assert out_of_order(simulator.history, lineage.proxy.writes) == []


def test_shards_that_end_while_nobody_reads(lineage: Lineage, workload: Workload, replicator: MakeReplicator) -> None:
    """A stopped task finds its shards closed, with two generations after them, and goes on from its checkpoints."""
    simulator = lineage.simulator
    with replicator(lineage.settings) as running:
        until(lambda: len(lineage.proxy.writes) > 50, "the first writes")
        assert running.stop() == 0
        first = simulator.open_shards()
        for _ in range(2):
            lineage.wait_written(workload, 50)
            for shard in simulator.open_shards():
                simulator.roll_over(shard.id)
        workload.stop()
        running.start()
        lineage.wait_equal()
        lineage.wait_ended(*(shard.id for shard in first))
        assert running.stop() == 0
    assert out_of_order(simulator.history, lineage.proxy.writes) == []


def test_lineage_through_a_bad_network(lineage: Lineage, workload: Workload, replicator: MakeReplicator) -> None:
    """Throttling, 5xx and broken connections at the stream while shards split lose nothing."""
    simulator = lineage.simulator
    plan = faults.plan(seed=7, throttled=0.05, failed=0.05, dropped=0.05, dropped_after=0.05)
    with replicator(lineage.settings) as running:
        until(lambda: len(lineage.proxy.writes) > 50, "the first writes")
        fault = simulator.follow(plan, "DescribeStream", "GetShardIterator", "GetRecords")
        ended = simulator.open_shards()
        for shard in ended:
            simulator.split(shard.id)
            lineage.wait_written(workload, 25)
        workload.stop()
        lineage.wait_equal()
        lineage.wait_ended(*(shard.id for shard in ended))
        fault.clear()
        assert running.stop() == 0
    assert out_of_order(simulator.history, lineage.proxy.writes) == []
