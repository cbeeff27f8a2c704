"""A simulator whose clock stands still, and a reader of its stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.clock import Clock
from tests.fakes.streams.stream_reader import Reader
from tests.fakes.streams.streams_simulator import StreamsSimulator


@pytest.fixture
def clock() -> Clock:
    """The simulator's."""
    return Clock(1_700_000_000.75)


@pytest.fixture
def simulator(clock: Clock) -> Iterator[StreamsSimulator]:
    """One of four shards."""
    with StreamsSimulator(shards=4, seed=1, clock=clock) as made:
        yield made


@pytest.fixture
def reader(simulator: StreamsSimulator) -> Reader:
    """Of the simulator."""
    return Reader(simulator)


def item(number: int, **more: Any) -> Any:
    """An item of a key of its own."""
    return {"id": {"S": f"{number:05}"}, **more}


def put(simulator: StreamsSimulator, count: int) -> None:
    """New items."""
    for number in range(count):
        simulator.put(item(number))


def only_shard(simulator: StreamsSimulator, *, records: int) -> str:
    """Start a stream of one shard anew, with new items; returns its shard."""
    simulator.recreate_stream(shards=1)
    put(simulator, records)
    return simulator.shards()[0].id


def refused(code: str) -> Any:
    """A context in which AWS answers with this error."""
    return pytest.raises(ClientError, match=code)
