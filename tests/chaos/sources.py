"""Where the changes are made: a table of DynamoDB Local, with one shard, or the simulator, whose shards split."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from processor.commands.demo.workload import create_table, scan
from tests.chaos.journal import Change, Item, digest
from tests.fakes.streams.streams_simulator import StreamsSimulator

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "us-east-1"
# From an item to what of it is to be at the destination, None for nothing.
See = Callable[[Item], Item | None]


class Made(NamedTuple):
    """A change as the workload made it: everything of a ``Change`` that it can know, at the time before the call."""

    number: int
    key: str
    digest: str | None
    refused: bool
    at: float
    is_delete: bool = False


class Record(NamedTuple):
    """A change as the stream has it; ``number`` is None for a delete."""

    key: str
    sequence: int
    shard: str
    number: int | None


class Source:
    """A table and its stream, read and written with boto3. ``simulator`` is there if the shards are to change."""

    def __init__(self, endpoint: str, table: str, simulator: StreamsSimulator | None = None) -> None:
        self.endpoint = endpoint
        self.table = table
        self.simulator = simulator
        self.client: DynamoDBClient = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint)
        self._streams = boto3.client("dynamodbstreams", region_name=REGION, endpoint_url=endpoint)

    def put(self, item: Item) -> None:
        """Write an item."""
        self.client.put_item(TableName=self.table, Item=item)

    def delete(self, key: str) -> None:
        """Delete an item."""
        self.client.delete_item(TableName=self.table, Key={"id": {"S": key}})

    def items(self, see: See) -> dict[str, str]:
        """The digest of what is to be at the destination of each item, by key."""
        found = {key: see(item) for key, item in scan(self.client, self.table).items()}
        return {key: digest(item) for key, item in found.items() if item is not None}

    def history(self, made: Sequence[Made]) -> list[Change]:
        """What the workload made, with the shard and the sequence number that the stream gave it."""
        by_key: dict[str, list[Record]] = defaultdict(list)
        for record in sorted(self._records(), key=lambda record: record.sequence):
            by_key[record.key].append(record)
        changes = []
        positions: dict[str, int] = defaultdict(int)
        for change in made:
            record = by_key[change.key][positions[change.key]]
            positions[change.key] += 1
            assert record.number == (None if change.is_delete else change.number), (change, record)
            changes.append(
                Change(
                    number=change.number,
                    sequence=record.sequence,
                    shard=record.shard,
                    key=change.key,
                    digest=change.digest,
                    refused=change.refused,
                    made_at=change.at,
                )
            )
        assert len(changes) == sum(map(len, by_key.values())), "the stream has records that the workload did not make"
        return changes

    def _records(self) -> Iterator[Record]:
        arn = self.client.describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        start: dict[str, Any] = {}
        while True:
            page = self._streams.describe_stream(StreamArn=arn, **start)["StreamDescription"]
            for shard in page["Shards"]:
                yield from self._records_of(
                    arn, shard["ShardId"], closed="EndingSequenceNumber" in shard["SequenceNumberRange"]
                )
            if not page.get("LastEvaluatedShardId"):
                return
            start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}

    def _records_of(self, arn: str, shard: str, *, closed: bool) -> Iterator[Record]:
        iterator = self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        position = iterator.get("ShardIterator")
        while position:
            page = self._streams.get_records(ShardIterator=position)
            for record in page["Records"]:
                data = record["dynamodb"]
                image = data.get("NewImage")
                number = int(image["write"]["N"]) if image else None
                yield Record(data["Keys"]["id"]["S"], int(data["SequenceNumber"]), shard, number)
            if not page["Records"] and not closed:
                return  # an open shard's end, for nobody writes any more
            position = page.get("NextShardIterator")


@contextlib.contextmanager
def simulated(*, shards: int, seed: int, table: str) -> Iterator[Source]:
    """Several shards, which can be made to split and to roll over."""
    with StreamsSimulator(shards=shards, seed=seed, table=table) as simulator:
        yield Source(simulator.endpoint, table, simulator)


@contextlib.contextmanager
def local(endpoint: str, table: str) -> Iterator[Source]:
    """A table of DynamoDB Local: one shard, and DynamoDB's own streams as far as it has them."""
    source = Source(endpoint, table)
    create_table(source.client, table, stream=True)
    yield source
