"""Calls that go wrong: on demand, or as a seeded plan has it."""

from __future__ import annotations

from collections import Counter

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, EndpointConnectionError

from tests.fakes.network import faults
from tests.fakes.streams.stream_reader import Reader
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.protocol.simulator.conftest import Clock, item, refused


def fate(reader: Reader) -> str:
    """What becomes of one call."""
    try:
        reader.describe()
    except ClientError as exc:
        return str(exc.response["Error"]["Code"])
    except BotoCoreError as exc:
        return type(exc).__name__
    return "done"


def test_faults_on_demand(simulator: StreamsSimulator, reader: Reader) -> None:
    """A fault meets the calls that it names, so many times, and then no more."""
    fault = simulator.inject(faults.error("ThrottlingException"), "DescribeStream", times=2)
    expected = ["ThrottlingException", "ThrottlingException", "done"]
    assert expected == [fate(reader) for _ in range(3)]
    simulator.inject(faults.error("ExpiredTokenException"), "GetRecords")
    assert fate(reader) == "done"
    with refused("ExpiredTokenException"):
        reader.page(reader.iterator(simulator.shards()[0].id))
    assert fault.met == 2
    assert Counter(DescribeStream=4, GetShardIterator=1, GetRecords=1) == simulator.received


@pytest.mark.parametrize(("after", "written"), [(False, 0), (True, 1)])
def test_broken_connections(simulator: StreamsSimulator, reader: Reader, *, after: bool, written: int) -> None:
    """A connection that breaks before the call is a call never made; one that breaks after it, a call made."""
    simulator.inject(faults.drop(after=after), times=1)
    with pytest.raises(ConnectionClosedError):
        reader.db.put_item(TableName="source", Item=item(1))
    assert written == len(simulator.history)


def test_nobody_there(simulator: StreamsSimulator, reader: Reader) -> None:
    """While it is away connections are refused; afterwards all is as it was."""
    before = reader.describe()
    with simulator.away(), pytest.raises(EndpointConnectionError):
        reader.describe()
    assert before == reader.describe()


def test_plans(simulator: StreamsSimulator, reader: Reader) -> None:
    """A plan strikes the same calls for the same seed, about as many as it says, and none when it is cleared."""

    def fates(seed: int) -> list[str]:
        fault = simulator.follow(faults.plan(seed, throttled=0.2, failed=0.1, dropped=0.1), "DescribeStream")
        found = [fate(reader) for _ in range(200)]
        fault.clear()
        return found

    first = fates(7)
    assert first == fates(7)
    assert first != fates(8)
    counts = Counter(first)
    assert {"ThrottlingException", "InternalServerError", "ConnectionClosedError", "done"} == counts.keys()
    assert 90 < counts["done"] < 150
    assert [fate(reader) for _ in range(50)] == ["done"] * 50


def test_rates_of_more_than_all() -> None:
    """No plan can strike more calls than there are."""
    with pytest.raises(ValueError, match="more than 1"):
        faults.plan(1, throttled=0.6, failed=0.6)


def test_an_older_fault_goes_before_a_plan(simulator: StreamsSimulator, reader: Reader) -> None:
    """So a test can have its own fault for sure beside a plan's."""
    simulator.inject(faults.error("ExpiredTokenException"), times=1)
    simulator.follow(faults.plan(1, throttled=1.0))
    assert [fate(reader) for _ in range(2)] == ["ExpiredTokenException", "ThrottlingException"]


def test_a_shard_that_is_read_too_often(simulator: StreamsSimulator, reader: Reader, clock: Clock) -> None:
    """More reads within a second than are allowed are refused, shard by shard, until it is over."""
    simulator.limit_reads(2)
    one, another, *_ = (reader.iterator(shard.id) for shard in simulator.shards())
    reader.page(one)
    reader.page(one)
    with refused("LimitExceededException"):
        reader.page(one)
    reader.page(another)
    clock.now += 1
    reader.page(one)
    reader.page(one)
    simulator.limit_reads(None)
    reader.page(one)
