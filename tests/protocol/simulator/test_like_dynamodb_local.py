"""The simulator answers as DynamoDB Local does, wherever that is like DynamoDB.

Peculiarities of DynamoDB Local 2.6.1 which the simulator does not share, for the API reference says otherwise:

- ApproximateCreationDateTime is rounded down to the minute, not the second;
- sequence numbers are counted from 1, without gaps;
- the region of its ARNs and records is ``ddblocal``, and tables have no TableId;
- DescribeStream ignores ShardFilter;
- GetRecords has no limit of 1 MB;
- a sequence number past the newest is answered with 500, InternalFailure;
- an iterator cut short is called expired;
- DeleteItem of an item that is not there returns its consumed capacity unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.conftest import Tables
from tests.fakes.streams.streams_simulator import StreamsSimulator

REGION = "us-east-1"
_RAW = Config(parameter_validation=False, retries={"total_max_attempts": 1})
# What differs between any two tables, or from call to call.
_VARIABLE = {
    "awsRegion",
    "ApproximateCreationDateTime",
    "CreationDateTime",
    "CreationRequestDateTime",
    "eventID",
    "LastEvaluatedStreamArn",
    "LatestStreamArn",
    "LatestStreamLabel",
    "NextShardIterator",
    "SequenceNumber",
    "ShardId",
    "ShardIterator",
    "StartingSequenceNumber",
    "EndingSequenceNumber",
    "StreamArn",
    "StreamLabel",
    "TableArn",
    "TableName",
}
_FULL: dict[str, Any] = {
    "id": {"S": "full"},
    "number": {"N": "-12345678901234567890123456789012345678"},
    "tiny": {"N": "0.001"},
    "binary": {"B": b"\x00\xff\xfe"},
    "text": {"S": "ü€😀"},
    "empty": {"S": ""},
    "flags": {"L": [{"BOOL": True}, {"NULL": True}, {"M": {"deep": {"BS": [b"a", b"bc"]}}}]},
    "names": {"SS": ["a", "bc"]},
    "numbers": {"NS": ["1", "22"]},
}


class Side:
    """One of the two servers: its table and the table's stream."""

    def __init__(self, endpoint: str, table: str, *, turn_off: Callable[[], object]) -> None:
        self.table = table
        self.turn_off = turn_off
        self.db: Any = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint, config=_RAW)
        self.streams: Any = boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=endpoint, config=_RAW)
        self.arn = self.db.describe_table(TableName=table)["Table"]["LatestStreamArn"]

    @property
    def shard_id(self) -> str:
        """The only shard's."""
        return self.streams.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"][0]["ShardId"]

    def put(self, *items: dict[str, Any]) -> None:
        """Write items."""
        for item in items:
            self.db.put_item(TableName=self.table, Item=item)

    def delete(self, name: str) -> None:
        """Delete an item."""
        self.db.delete_item(TableName=self.table, Key={"id": {"S": name}})

    def iterator(self, kind: str = "TRIM_HORIZON", **more: Any) -> str:
        """An iterator on the only shard."""
        return self.streams.get_shard_iterator(
            StreamArn=self.arn, ShardId=self.shard_id, ShardIteratorType=kind, **more
        )["ShardIterator"]

    def records(self, iterator: str | None = None, **more: Any) -> Any:
        """A page of records."""
        return self.streams.get_records(ShardIterator=iterator or self.iterator(), **more)

    def number(self, position: int) -> str:
        """The sequence number of a record of the first page."""
        return self.records()["Records"][position]["dynamodb"]["SequenceNumber"]


@pytest.fixture
def sides(dynamodb: DynamoDBLocal, tables: Tables) -> Iterator[list[Side]]:
    """DynamoDB Local, and the simulator with one shard."""
    name = tables.name()
    client: Any = boto3.client("dynamodb", region_name=REGION, endpoint_url=dynamodb.endpoint)
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    with StreamsSimulator(shards=1, table=name) as simulator:
        yield [
            Side(
                dynamodb.endpoint,
                name,
                turn_off=lambda: client.update_table(TableName=name, StreamSpecification={"StreamEnabled": False}),
            ),
            Side(simulator.endpoint, name, turn_off=simulator.disable_stream),
        ]


def outcome(call: Callable[[Side], Any], side: Side) -> Any:
    """The answer, where what varies by nature is only there or not; or the error's status and code.

    The messages are DynamoDB Local's own words, so they are not compared.
    """
    try:
        return _plain(call(side))
    except ClientError as exc:
        return exc.response["ResponseMetadata"]["HTTPStatusCode"], exc.response["Error"]["Code"]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "<there>" if name in _VARIABLE else _plain(each)
            for name, each in value.items()
            if name != "ResponseMetadata"
        }
    return [_plain(each) for each in value] if isinstance(value, list) else value


def key(name: str) -> dict[str, Any]:
    """The key of an item."""
    return {"id": {"S": name}}


TABLE_CALLS: dict[str, Callable[[Side], Any]] = {
    "GetItem": lambda s: s.db.get_item(TableName=s.table, Key=key("full"), ConsistentRead=True),
    "GetItem of none": lambda s: s.db.get_item(TableName=s.table, Key=key("none")),
    "GetItem with half a key": lambda s: s.db.get_item(TableName=s.table, Key={}),
    "GetItem with more than a key": lambda s: s.db.get_item(TableName=s.table, Key={**key("a"), "x": {"S": "a"}}),
    "GetItem elsewhere": lambda s: s.db.get_item(TableName="elsewhere", Key=key("full")),
    "PutItem": lambda s: s.db.put_item(TableName=s.table, Item={**key("full"), "new": {"S": "1"}}),
    "PutItem, old": lambda s: s.db.put_item(TableName=s.table, Item=key("full"), ReturnValues="ALL_OLD"),
    "PutItem, none old": lambda s: s.db.put_item(TableName=s.table, Item=key("none"), ReturnValues="ALL_OLD"),
    "PutItem without a key": lambda s: s.db.put_item(TableName=s.table, Item={"x": {"S": "1"}}),
    "PutItem, wrong type": lambda s: s.db.put_item(TableName=s.table, Item={"id": {"N": "1"}}),
    "PutItem, empty key": lambda s: s.db.put_item(TableName=s.table, Item=key("")),
    "PutItem, too large": lambda s: s.db.put_item(
        TableName=s.table, Item={**key("large"), "x": {"S": "x" * 400 * 1024}}
    ),
    "DeleteItem": lambda s: s.db.delete_item(TableName=s.table, Key=key("full")),
    "DeleteItem, old": lambda s: s.db.delete_item(TableName=s.table, Key=key("full"), ReturnValues="ALL_OLD"),
    "DeleteItem with more than a key": lambda s: s.db.delete_item(TableName=s.table, Key={**key("a"), "x": {"S": "a"}}),
    "BatchGetItem": lambda s: s.db.batch_get_item(RequestItems={s.table: {"Keys": [key("full"), key("none")]}}),
    "BatchGetItem, twice": lambda s: s.db.batch_get_item(RequestItems={s.table: {"Keys": [key("a"), key("a")]}}),
    "BatchGetItem of 101": lambda s: s.db.batch_get_item(
        RequestItems={s.table: {"Keys": [key(f"{number}") for number in range(101)]}}
    ),
    "BatchWriteItem": lambda s: s.db.batch_write_item(
        RequestItems={s.table: [{"PutRequest": {"Item": key("b")}}, {"DeleteRequest": {"Key": key("full")}}]}
    ),
    "BatchWriteItem, twice": lambda s: s.db.batch_write_item(
        RequestItems={s.table: [{"PutRequest": {"Item": key("b")}}, {"DeleteRequest": {"Key": key("b")}}]}
    ),
    "BatchWriteItem of 26": lambda s: s.db.batch_write_item(
        RequestItems={s.table: [{"PutRequest": {"Item": key(f"{number}")}} for number in range(26)]}
    ),
    "BatchWriteItem, one too large": lambda s: s.db.batch_write_item(
        RequestItems={
            s.table: [
                {"PutRequest": {"Item": key("b")}},
                {"PutRequest": {"Item": {**key("c"), "x": {"S": "x" * 400 * 1024}}}},
            ]
        }
    ),
    "BatchWriteItem, one without a key": lambda s: s.db.batch_write_item(
        RequestItems={s.table: [{"PutRequest": {"Item": key("b")}}, {"PutRequest": {"Item": {"x": {"S": "1"}}}}]}
    ),
    "BatchWriteItem of nothing": lambda s: s.db.batch_write_item(RequestItems={}),
    "BatchWriteItem of none": lambda s: s.db.batch_write_item(RequestItems={s.table: []}),
    "BatchWriteItem elsewhere": lambda s: s.db.batch_write_item(
        RequestItems={"elsewhere": [{"PutRequest": {"Item": key("b")}}]}
    ),
    "Scan": lambda s: s.db.scan(TableName=s.table),
    "Scan of all there is": lambda s: s.db.scan(TableName=s.table, Limit=1),
    "Scan of more": lambda s: s.db.scan(TableName=s.table, Limit=2),
    "Scan of nothing": lambda s: s.db.scan(TableName=s.table, Limit=0),
    "Scan after the last": lambda s: s.db.scan(TableName=s.table, ExclusiveStartKey=key("full")),
    "DescribeTable elsewhere": lambda s: s.db.describe_table(TableName="elsewhere"),
    "DescribeTimeToLive": lambda s: s.db.describe_time_to_live(TableName=s.table),
    "an unknown call": lambda s: s.db.list_backups(),
}


@pytest.mark.parametrize("name", TABLE_CALLS)
def test_calls_on_the_table(sides: list[Side], name: str) -> None:
    """On a table with one item of every type, the answers and what the table then holds are the same."""
    for side in sides:
        side.put(_FULL)
    found = [(outcome(TABLE_CALLS[name], side), side.db.scan(TableName=side.table)["Count"]) for side in sides]
    local, simulated = found
    assert local == simulated


def test_the_description_of_the_table(sides: list[Side]) -> None:
    """DescribeTable has what DynamoDB Local's has, but for when its throughput changed, and TableId beside."""
    for side in sides:
        side.put(_FULL)
    local, simulated = (_plain(side.db.describe_table(TableName=side.table)["Table"]) for side in sides)
    for described in (local, simulated):
        described.pop("TableId", None)
        for name in ("LastIncreaseDateTime", "LastDecreaseDateTime"):
            described["ProvisionedThroughput"].pop(name, None)
        described["BillingModeSummary"].pop("LastUpdateToPayPerRequestDateTime", None)
    assert local == simulated


STREAM_CALLS: dict[str, Callable[[Side], Any]] = {
    "ListStreams": lambda s: s.streams.list_streams(TableName=s.table),
    "ListStreams of another": lambda s: s.streams.list_streams(TableName="elsewhere"),
    "ListStreams of none": lambda s: s.streams.list_streams(Limit=0),
    "DescribeStream": lambda s: s.streams.describe_stream(StreamArn=s.arn),
    "DescribeStream, one": lambda s: s.streams.describe_stream(StreamArn=s.arn, Limit=1),
    "DescribeStream, none": lambda s: s.streams.describe_stream(StreamArn=s.arn, Limit=0),
    "DescribeStream, too many": lambda s: s.streams.describe_stream(StreamArn=s.arn, Limit=101),
    "DescribeStream after the last": lambda s: s.streams.describe_stream(
        StreamArn=s.arn, ExclusiveStartShardId=s.shard_id
    ),
    "DescribeStream after an unknown one": lambda s: s.streams.describe_stream(
        StreamArn=s.arn, ExclusiveStartShardId="shardId-00000001500000000000-abcdef01"
    ),
    "DescribeStream elsewhere": lambda s: s.streams.describe_stream(StreamArn=f"{s.arn}0"),
    "TRIM_HORIZON": lambda s: s.records(s.iterator()),
    "TRIM_HORIZON with a number": lambda s: s.iterator(SequenceNumber=s.number(1)),
    "LATEST": lambda s: s.records(s.iterator("LATEST")),
    "AT_SEQUENCE_NUMBER": lambda s: s.records(s.iterator("AT_SEQUENCE_NUMBER", SequenceNumber=s.number(1))),
    "AFTER_SEQUENCE_NUMBER": lambda s: s.records(s.iterator("AFTER_SEQUENCE_NUMBER", SequenceNumber=s.number(1))),
    "AFTER the newest": lambda s: s.records(s.iterator("AFTER_SEQUENCE_NUMBER", SequenceNumber=s.number(-1))),
    "AT no number": lambda s: s.iterator("AT_SEQUENCE_NUMBER"),
    "AFTER too small a number": lambda s: s.iterator("AFTER_SEQUENCE_NUMBER", SequenceNumber="0" * 21),
    "an unknown kind": lambda s: s.iterator("MIDDLE"),
    "a shard elsewhere": lambda s: s.streams.get_shard_iterator(
        StreamArn=s.arn, ShardId="shardId-00000001500000000000-abcdef01", ShardIteratorType="LATEST"
    ),
    "a stream elsewhere": lambda s: s.streams.get_shard_iterator(
        StreamArn=f"{s.arn}0", ShardId=s.shard_id, ShardIteratorType="LATEST"
    ),
    "GetRecords, one": lambda s: s.records(Limit=1),
    "GetRecords, the next": lambda s: s.records(s.records(Limit=1)["NextShardIterator"], Limit=1),
    "GetRecords, none": lambda s: s.records(Limit=0),
    "GetRecords, too many": lambda s: s.records(Limit=1001),
    "GetRecords, no iterator": lambda s: s.records("iterator"),
}


@pytest.mark.parametrize("name", STREAM_CALLS)
def test_calls_on_the_stream(sides: list[Side], name: str) -> None:
    """The answers are the same on a stream of every kind of change, and of writes that leave no record."""
    for side in sides:
        side.put(_FULL, key("b"), _FULL, {**_FULL, "number": {"N": "100"}})
        side.delete("none")
        side.delete("b")
    local, simulated = (outcome(STREAM_CALLS[name], side) for side in sides)
    assert local == simulated


def test_a_stream_that_is_off(sides: list[Side]) -> None:
    """Its shard is closed, its records are still there, the page with the last has no next iterator."""
    found = []
    for side in sides:
        side.put(_FULL, key("b"))
        iterator = side.iterator()
        side.turn_off()
        side.put(key("later"))
        found.append(
            [
                outcome(call, side)
                for call in (
                    STREAM_CALLS["DescribeStream"],
                    STREAM_CALLS["AFTER the newest"],
                    lambda each: each.records(iterator),  # noqa: B023  # called at once
                    lambda each: each.records(iterator, Limit=1),  # noqa: B023
                    lambda each: each.db.describe_table(TableName=each.table)["Table"].get("StreamSpecification"),
                    lambda each: each.db.describe_table(TableName=each.table)["Table"]["LatestStreamArn"] == each.arn,
                )
            ]
        )
    local, simulated = found
    assert local == simulated
