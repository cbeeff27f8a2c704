"""The bench's servers answer as DynamoDB and its streams would, or its figures would be of something else."""

from __future__ import annotations

import http.client
import json
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from processor.aws.clients import Clients
from processor.startup import preflight
from tests.conftest import REGION
from tests.fakes.dynamodb.attribute_values import size_bytes
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.live_stream import LiveStream
from tests.fakes.streams.recorded_stream import RecordedStream
from tests.fakes.streams.served_stream import ARN
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.fakes.task.tasks import task

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

RECORDS = 2500


@pytest.fixture(scope="module")
def recorded() -> Iterator[RecordedStream]:
    """Two shards."""
    with RecordedStream(records=RECORDS, shards=2) as server:
        yield server


@pytest.fixture(scope="module")
def stream(recorded: RecordedStream) -> DynamoDBStreamsClient:
    """A client of it."""
    return boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=recorded.endpoint)


def _shards(stream: DynamoDBStreamsClient) -> list[str]:
    return [shard["ShardId"] for shard in stream.describe_stream(StreamArn=ARN)["StreamDescription"]["Shards"]]


def _pages(stream: DynamoDBStreamsClient, iterator: str, **asked: int) -> Iterator[list[Any]]:
    while True:
        page = stream.get_records(ShardIterator=iterator, **asked)
        yield page["Records"]
        if not page["Records"]:
            return
        iterator = page["NextShardIterator"]


@pytest.mark.parametrize("limit", [1000, 300])
def test_a_shard_gives_each_record_once(limit: int, stream: DynamoDBStreamsClient, recorded: RecordedStream) -> None:
    """In pages of no more than was asked for, by rising sequence numbers, each of a new key; then come empty pages."""
    before = recorded.counts().get("records", 0)
    keys, numbers = [], []
    for shard in _shards(stream):
        iterator = stream.get_shard_iterator(StreamArn=ARN, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        found = []
        for page in _pages(stream, iterator["ShardIterator"], Limit=limit):
            assert len(page) <= limit
            found += page
        assert len(found) == RECORDS
        keys += [record["dynamodb"]["Keys"]["id"]["S"] for record in found]
        numbers += [int(record["dynamodb"]["SequenceNumber"]) for record in found]
    assert len(set(keys)) == len(keys) == 2 * RECORDS
    assert all(one < other for one, other in pairwise(numbers))
    assert recorded.counts()["records"] - before == 2 * RECORDS


def test_a_shard_is_read_on_from_a_checkpoint(stream: DynamoDBStreamsClient) -> None:
    """After a sequence number comes the next record, and at it the record itself."""
    shard = _shards(stream)[1]
    iterator = stream.get_shard_iterator(StreamArn=ARN, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    first, *_ = _pages(stream, iterator["ShardIterator"])
    number = first[998]["dynamodb"]["SequenceNumber"]
    for kind, skipped in (("AT_SEQUENCE_NUMBER", 0), ("AFTER_SEQUENCE_NUMBER", 1)):
        iterator = stream.get_shard_iterator(
            StreamArn=ARN,
            ShardId=shard,
            ShardIteratorType=kind,  # type: ignore[arg-type]
            SequenceNumber=number,
        )
        found = [record for page in _pages(stream, iterator["ShardIterator"]) for record in page]
        assert len(found) == RECORDS - 998 - skipped
        assert found[0] == first[998] if not skipped else found[0]["dynamodb"]["SequenceNumber"] > number


def test_a_record_is_as_the_simulator_writes_it(stream: DynamoDBStreamsClient) -> None:
    """The same names with values of the same types, and an image of the size that was asked for."""
    iterator = stream.get_shard_iterator(StreamArn=ARN, ShardId=_shards(stream)[0], ShardIteratorType="TRIM_HORIZON")
    record = next(_pages(stream, iterator["ShardIterator"]))[0]
    with StreamsSimulator() as simulator:
        image = record["dynamodb"]["NewImage"]
        simulator.put(image)
        other = boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=simulator.endpoint)
        shard = simulator.open_shards()[0].id
        start = other.get_shard_iterator(
            StreamArn=simulator.stream_arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )
        simulated = other.get_records(ShardIterator=start["ShardIterator"])["Records"][0]
    assert _types(record) == _types(simulated)
    assert record["dynamodb"]["NewImage"] == simulated["dynamodb"]["NewImage"]
    assert record["dynamodb"]["SizeBytes"] == simulated["dynamodb"]["SizeBytes"]
    assert size_bytes(image) == 200


def _types(value: Any) -> Any:
    return {name: _types(each) for name, each in value.items()} if isinstance(value, dict) else type(value)


def test_some_keys_repeat_where_they_shall() -> None:
    """The share of a page's records that have another one's key is the one asked for."""
    with RecordedStream(records=1000, repeated=0.25) as server:
        stream = boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=server.endpoint)
        iterator = stream.get_shard_iterator(
            StreamArn=ARN, ShardId=_shards(stream)[0], ShardIteratorType="TRIM_HORIZON"
        )
        page = next(_pages(stream, iterator["ShardIterator"]))
    assert len({record["dynamodb"]["Keys"]["id"]["S"] for record in page}) == 750


def test_an_answer_has_its_checksum(recorded: RecordedStream) -> None:
    """The SDKs compare it, so that its cost is part of the figure."""
    connection = http.client.HTTPConnection(recorded.endpoint.removeprefix("http://"), timeout=PATIENCE_SECONDS)
    body = json.dumps({"ShardIterator": f"{ARN}|1|0|0"})
    connection.request("POST", "/", body, {"X-Amz-Target": "DynamoDBStreams_20120810.GetRecords"})
    answer = connection.getresponse()
    assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.read())
    connection.close()


def test_a_replication_between_them_is_ready(recorded: RecordedStream) -> None:
    """What is checked of both tables before a start finds nothing."""
    with NullSink() as sink:
        settings = task(**recorded.settings, destinationTable="sink", destinationEndpoint=sink.endpoint)
        assert preflight.tables(settings, Clients(settings)).findings == []


def _put(count: int) -> Any:
    return {"sink": [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(count)]}


def test_the_sink_counts_what_it_takes() -> None:
    """Puts and deletes, of many at once and of one."""
    with NullSink(latency_ms=1) as sink:
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=sink.endpoint)
        deletes = [{"DeleteRequest": {"Key": {"id": {"S": str(number)}}}} for number in range(5)]
        answer = client.batch_write_item(RequestItems={"sink": _put(20)["sink"] + deletes})
        assert answer["UnprocessedItems"] == {}
        client.put_item(TableName="sink", Item={"id": {"S": "a"}})
        client.delete_item(TableName="sink", Key={"id": {"S": "a"}})
        counts = sink.counts()
    assert counts["items"] == 27
    assert counts["BatchWriteItem"] == 1


def test_the_sink_throttles_as_told() -> None:
    """As DynamoDB says it; what is refused is not counted as taken."""
    with NullSink(throttled=1) as sink:
        client = boto3.client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=sink.endpoint,
            config=boto3.session.Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(ClientError) as refused:
            client.batch_write_item(RequestItems=_put(25))
        assert refused.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
        assert sink.counts()["throttled"] == 1
        assert "items" not in sink.counts()


def test_the_sink_leaves_a_part_undone_as_told() -> None:
    """The second half comes back, and the first is counted."""
    with NullSink(unprocessed=1) as sink:
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=sink.endpoint)
        undone = client.batch_write_item(RequestItems=_put(25))["UnprocessedItems"]
        assert undone == {"sink": _put(25)["sink"][12:]}
        assert sink.counts()["items"] == 12


def test_a_live_stream_gives_what_is_written_and_the_sink_tells_how_long_it_took() -> None:
    """A record is read from the shard it was written to, and found again in the sink with its age."""
    with LiveStream(shards=150) as live, NullSink() as sink:
        stream = boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=live.endpoint)
        first = stream.describe_stream(StreamArn=ARN)["StreamDescription"]
        last = stream.describe_stream(StreamArn=ARN, ExclusiveStartShardId=first["LastEvaluatedShardId"])[
            "StreamDescription"
        ]
        shards = [shard["ShardId"] for shard in first["Shards"] + last["Shards"]]
        assert len(set(shards)) == 150
        iterator = stream.get_shard_iterator(StreamArn=ARN, ShardId=shards[7], ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]
        empty = stream.get_records(ShardIterator=iterator)
        assert empty["Records"] == []
        live.write(7)
        found = stream.get_records(ShardIterator=empty["NextShardIterator"])
        (record,) = found["Records"]
        number = record["dynamodb"]["SequenceNumber"]
        after = stream.get_shard_iterator(
            StreamArn=ARN,
            ShardId=shards[7],
            ShardIteratorType="AFTER_SEQUENCE_NUMBER",
            SequenceNumber=number,
        )["ShardIterator"]
        assert stream.get_records(ShardIterator=after)["Records"] == []
        assert live.counts()["shards_read"] == 1
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=sink.endpoint)
        client.put_item(TableName="sink", Item=record["dynamodb"]["NewImage"])
        (lag,) = sink.take_lags()
        assert 0 < lag < PATIENCE_SECONDS
        assert sink.take_lags() == []
