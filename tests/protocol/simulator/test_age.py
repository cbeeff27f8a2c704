"""What grows too old: iterators, records, shards and streams; the quotes are of the API reference."""

from __future__ import annotations

from tests.fakes.streams.simulated_stream import RETENTION_SECONDS
from tests.fakes.streams.simulated_stream_calls import ITERATOR_SECONDS
from tests.fakes.streams.stream_reader import Reader
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.protocol.simulator.conftest import Clock, item, only_shard, refused

EXPIRED = "ExpiredIteratorException"
NOT_FOUND = "ResourceNotFoundException"
TRIMMED = "TrimmedDataAccessException"


def test_iterators_expire(simulator: StreamsSimulator, reader: Reader, clock: Clock) -> None:
    """An iterator expires 15 minutes after it is returned, and a next iterator likewise."""
    iterator = reader.iterator(only_shard(simulator, records=2))
    clock.now += ITERATOR_SECONDS
    following = reader.page(iterator, Limit=1)["NextShardIterator"]
    clock.now += 1
    with refused(EXPIRED):
        reader.page(iterator)
    assert len(reader.page(following)["Records"]) == 1
    clock.now += ITERATOR_SECONDS
    with refused(EXPIRED):
        reader.page(following)


def test_records_older_than_24_hours_are_gone(simulator: StreamsSimulator, reader: Reader, clock: Clock) -> None:
    """Then TRIM_HORIZON begins at the oldest that is left, and what asks for an older one is refused."""
    shard = only_shard(simulator, records=3)
    clock.now += RETENTION_SECONDS - 10
    simulator.put(item(3))
    oldest = reader.iterator(shard)
    third = reader.iterator(shard, "AT_SEQUENCE_NUMBER", SequenceNumber=simulator.history[2].sequence_number)
    fourth = reader.iterator(shard, "AFTER_SEQUENCE_NUMBER", SequenceNumber=simulator.history[2].sequence_number)
    clock.now += 11
    for iterator in (oldest, third):
        with refused(TRIMMED):
            reader.page(iterator)
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        with refused(TRIMMED):
            reader.iterator(shard, kind, SequenceNumber=simulator.history[2].sequence_number)
    assert reader.keys(shard) == ["00003"]
    assert len(reader.page(fourth)["Records"]) == 1


def test_trimming_on_demand(simulator: StreamsSimulator, reader: Reader, clock: Clock) -> None:
    """So many records of a shard, those made before a moment, or all."""
    shard = only_shard(simulator, records=4)
    assert simulator.trim(shard, records=3) == 3
    assert reader.keys(shard) == ["00003"]
    clock.now += 1
    simulator.put(item(4))
    assert simulator.trim(before=clock.now) == 1
    assert reader.keys(shard) == ["00004"]
    assert simulator.trim() == 1
    assert reader.keys(shard) == []
    simulator.put(item(5))
    assert reader.keys(shard) == ["00005"]


def test_closed_shards_expire(simulator: StreamsSimulator, reader: Reader, clock: Clock) -> None:
    """A closed shard is gone from DescribeStream 24 hours later, or on demand; its iterators then find nothing."""
    first, second = (shard.id for shard in simulator.open_shards()[:2])
    iterators = [reader.iterator(first), reader.iterator(second)]
    simulator.roll_over(first)
    simulator.roll_over(second)
    simulator.expire(first)
    assert [shard in [each["ShardId"] for each in reader.describe()["Shards"]] for shard in (first, second)] == [
        False,
        True,
    ]
    with refused(NOT_FOUND):
        reader.page(iterators[0])
    clock.now += RETENTION_SECONDS + 1
    assert {"open"} == {
        "closed" if "EndingSequenceNumber" in each["SequenceNumberRange"] else "open"
        for each in reader.describe()["Shards"]
    }
    with refused(NOT_FOUND):
        reader.iterator(second)


def test_a_stream_that_is_off(simulator: StreamsSimulator, reader: Reader, clock: Clock) -> None:
    """It takes no more records and is readable for 24 hours; then it is not found."""
    shard = only_shard(simulator, records=2)
    simulator.disable_stream()
    assert simulator.put(item(3)) is None
    assert reader.describe()["StreamStatus"] == "DISABLED"
    assert reader.keys(shard) == ["00000", "00001"]
    assert simulator.open_shards() == []
    clock.now += RETENTION_SECONDS + 1
    with refused(NOT_FOUND):
        reader.describe()


def test_a_stream_anew(simulator: StreamsSimulator, reader: Reader) -> None:
    """Off and on again is a new stream of a new ARN; the old one can still be read, until it is deleted."""
    old = simulator.stream_arn
    assert simulator.recreate_stream(shards=2) == simulator.stream_arn != old
    assert len(reader.describe()["Shards"]) == 2
    assert reader.streams.describe_stream(StreamArn=old)["StreamDescription"]["StreamStatus"] == "DISABLED"
    newest = reader.streams.list_streams(TableName="source", Limit=1)
    others = reader.streams.list_streams(ExclusiveStartStreamArn=newest["LastEvaluatedStreamArn"])
    assert [[simulator.stream_arn], [old]] == [
        [each["StreamArn"] for each in page["Streams"]] for page in (newest, others)
    ]
    simulator.delete_stream()
    for arn in (old, simulator.stream_arn):
        with refused(NOT_FOUND):
            reader.streams.describe_stream(StreamArn=arn)
    assert "StreamSpecification" not in reader.db.describe_table(TableName="source")["Table"]
