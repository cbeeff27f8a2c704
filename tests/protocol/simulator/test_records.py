"""Records: what they say, and the pages in which they come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.streams.stream_reader import Reader
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.protocol.simulator.conftest import item, only_shard


def test_what_a_record_has(simulator: StreamsSimulator, reader: Reader) -> None:
    """The kind is by what was there before; the time is rounded down to the second; a TTL's delete says who did it."""
    events = [
        simulator.put(item(1, v={"B": b"1"})),
        simulator.put(item(1, v={"B": b"2"})),
        simulator.delete(item(1), by_ttl=True),
    ]
    (shard_id,) = {event.shard_id for event in simulator.history}
    insert, modify, remove = reader.records(shard_id)
    assert events == simulator.history
    assert [each["eventName"] for each in (insert, modify, remove)] == ["INSERT", "MODIFY", "REMOVE"]
    assert item(1) == modify["dynamodb"]["Keys"]
    assert item(1, v={"B": b"1"}) == insert["dynamodb"]["NewImage"] == modify["dynamodb"]["OldImage"]
    assert item(1, v={"B": b"2"}) == modify["dynamodb"]["NewImage"] == remove["dynamodb"]["OldImage"]
    assert "OldImage" not in insert["dynamodb"]
    assert "NewImage" not in remove["dynamodb"]
    assert insert["dynamodb"]["ApproximateCreationDateTime"].timestamp() == 1_700_000_000
    assert remove["userIdentity"] == {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
    assert "userIdentity" not in modify
    assert len({each["eventID"] for each in (insert, modify, remove)}) == 3


def test_no_record_where_nothing_changes(simulator: StreamsSimulator) -> None:
    """A put of what is there, or a delete of what is not, leaves no record."""
    assert simulator.delete(item(1)) is None
    simulator.put(item(1))
    assert simulator.put(item(1)) is None
    assert len(simulator.history) == 1


@pytest.mark.parametrize(
    ("view_type", "images"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_view_types(simulator: StreamsSimulator, reader: Reader, view_type: Any, images: set[str]) -> None:
    """A record has the images that the stream's view type says."""
    simulator.put(item(1))
    simulator.recreate_stream(view_type=view_type)
    simulator.put(item(1, v={"S": "2"}))
    (record,) = reader.records(simulator.shards()[0].id)
    assert images == {"NewImage", "OldImage"} & record["dynamodb"].keys()
    assert view_type == record["dynamodb"]["StreamViewType"] == reader.describe()["StreamViewType"]


def test_pages_of_records(simulator: StreamsSimulator, reader: Reader) -> None:
    """A page has at most 1,000 records, or ``Limit``; the next one goes on where it ended."""
    iterator = reader.iterator(only_shard(simulator, records=1500))
    first = reader.page(iterator)
    second = reader.page(first["NextShardIterator"])
    assert [len(first["Records"]), len(second["Records"])] == [1000, 500]
    assert first["Records"][:7] == reader.page(iterator, Limit=7)["Records"]
    keys = [record["dynamodb"]["Keys"]["id"]["S"] for record in first["Records"] + second["Records"]]
    assert [f"{number:05}" for number in range(1500)] == keys


def test_pages_of_large_records(simulator: StreamsSimulator, reader: Reader) -> None:
    """A page has at most 1 MB of records."""
    simulator.recreate_stream()
    for number in range(10):
        simulator.put(item(number, x={"S": "x" * 250 * 1024}))
    assert len(reader.page(reader.iterator(simulator.shards()[0].id))["Records"]) == 4


def test_the_end_of_a_shard(simulator: StreamsSimulator, reader: Reader) -> None:
    """The next iterator is there while a shard is open, and not once it is closed and all of it is read."""
    shard = only_shard(simulator, records=2)
    end = reader.page(reader.iterator(shard))["NextShardIterator"]
    end = reader.page(end)["NextShardIterator"]
    simulator.roll_over(shard)
    page = reader.page(end)
    assert page["Records"] == []
    assert "NextShardIterator" not in page
    first = reader.page(reader.iterator(shard), Limit=1)
    assert "NextShardIterator" not in reader.page(first["NextShardIterator"])
