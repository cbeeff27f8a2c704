"""Tables that DynamoDB replicates itself, as the preflight reads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from processor.aws.clients import Clients
from processor.startup import preflight
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.fakes.task.tasks import task


@pytest.fixture
def replicas() -> Iterator[tuple[StreamsSimulator, ...]]:
    """The same table in two regions."""
    with (
        StreamsSimulator(table="orders", region="us-east-1", replicas=["eu-west-1"]) as first,
        StreamsSimulator(table="orders", region="eu-west-1", replicas=["us-east-1"], seed=1) as second,
        StreamsSimulator(table="orders-copy", region="eu-west-1", seed=2) as other,
    ):
        yield first, second, other


def _found(source: StreamsSimulator, destination: StreamsSimulator) -> set[tuple[str, str]]:
    settings = task(
        sourceRegion="us-east-1",
        sourceTable=source.table,
        sourceEndpoint=source.endpoint,
        destinationRegion="eu-west-1",
        destinationTable=destination.table,
        destinationEndpoint=destination.endpoint,
        kclEndpoint=source.endpoint,
    )
    report = preflight.run(settings, Clients(settings))
    return {(each.severity, each.id) for each in report.findings if "replica" in each.id}


def test_no_replication_between_replicas_of_one_table(replicas: tuple[StreamsSimulator, ...]) -> None:
    """It would be a loop; to a table of its own it is none, and then only the stream's one reader is spoken of."""
    first, second, other = replicas
    assert _found(first, second) == {("error", "destination-is-replica"), ("warning", "source-is-replica")}
    assert _found(first, other) == {("warning", "source-is-replica")}
    assert _found(other, other) == set()
