"""A table that applications write to, with its stream: the hub, or the spoke."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from processor.commands.demo.workload import create_table, scan
from tests.chaos.journal import Item
from tests.chaos.two_way.images import MARKER, Image, image
from tests.fakes.daemon import direction_probe, start_probe
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Answer, Exchange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Name = Literal["hub", "spoke"]
# By these it is seen that writing is allowed and both directions go on; nobody checks what becomes of them.
_UNCHECKED = (direction_probe.PREFIX, start_probe.PREFIX)
_REGIONS: dict[Name, str] = {"hub": "us-east-1", "spoke": "eu-west-1"}


class Record(NamedTuple):
    """One of the stream's."""

    sequence: int
    key: str
    old: Image | None
    new: Image | None


class Replicated(NamedTuple):
    """A write of the replicator's that the table took.

    :param new: a put's item; of all else None
    :param marker: of an update: what it set the marker to
    :param at: ``time.monotonic()`` when it was done
    """

    operation: str
    key: str
    new: Image | None
    marker: str | None
    at: float


class SideProxy(FaultProxy):
    """In front of a side, for the replicator alone: notes each of its writes that the table took."""

    def __init__(self, upstream: str, table: str) -> None:
        super().__init__(upstream)
        self.replicated: list[Replicated] = []
        self._table = table

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Ask the table, or its stream."""
        answer = self._ask(exchange, exchange.operation, body)
        if exchange.operation in ("PutItem", "UpdateItem", "DeleteItem") and answer.status == http.client.OK:
            self._take(exchange.operation, json.loads(body))
        return answer

    def _take(self, operation: str, request: dict[str, Any]) -> None:
        key = (request.get("Item") or request["Key"])["id"]["S"]
        if request["TableName"] != self._table or key.startswith(_UNCHECKED):
            return
        value = request.get("ExpressionAttributeValues", {}).get(":marker")
        marker = None if value is None else image({"id": {"S": key}, MARKER: value})
        with self.changed:
            self.replicated.append(
                Replicated(
                    operation,
                    key,
                    image(request.get("Item")),
                    None if marker is None else marker.marker,
                    time.monotonic(),
                )
            )


class Side:
    """The table, as applications and the checker use it: past its proxy, so that faults are the replicator's alone."""

    def __init__(self, name: Name, endpoint: str, table: str) -> None:
        self.name = name
        self.table = table
        self.region = _REGIONS[name]
        self.proxy = SideProxy(endpoint, table)
        options = {"region_name": self.region, "endpoint_url": endpoint}
        self.client: DynamoDBClient = boto3.client(
            "dynamodb", config=Config(retries={"total_max_attempts": 1}), **options
        )
        self._streams = boto3.client("dynamodbstreams", **options)
        self._records: list[Record] = []
        self._iterator: str | None = None
        self._last: str | None = None

    def create(self) -> None:
        """Make the table, with its stream."""
        create_table(self.client, self.table, stream=True)

    def items(self) -> dict[str, Image]:
        """What the table holds, by key."""
        found = {key: image(item) for key, item in scan(self.client, self.table).items()}
        return {key: each for key, each in found.items() if each is not None and not key.startswith(_UNCHECKED)}

    def read(self) -> int:
        """Read what is new in the stream; returns the sequence number of the last record, 0 if there is none."""
        while (page := self._page()) is None or page["Records"]:
            if page is not None:
                self._iterator = page["NextShardIterator"]
                self._last = page["Records"][-1]["dynamodb"]["SequenceNumber"]
                self._records += [_record(record["dynamodb"]) for record in page["Records"]]
        self._iterator = page["NextShardIterator"]
        return int(self._last or 0)

    def records(self) -> list[Record]:
        """All of the stream that was read, but for probes."""
        return [record for record in self._records if not record.key.startswith(_UNCHECKED)]

    def _page(self) -> Any:
        """The next one; None if DynamoDB Local takes a fresh iterator for one that is trimmed, as it sometimes does."""
        if self._iterator is None:
            arn = self.client.describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
            (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            place: Any = {"ShardIteratorType": "TRIM_HORIZON"}
            if self._last is not None:
                place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._last}
            made = self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], **place)
            self._iterator = made["ShardIterator"]
        try:
            return self._streams.get_records(ShardIterator=self._iterator)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in ("TrimmedDataAccessException", "ExpiredIteratorException"):
                raise
            self._iterator = None
            return None


def _record(data: dict[str, Item]) -> Record:
    return Record(
        int(str(data["SequenceNumber"])),
        data["Keys"]["id"]["S"],
        image(data.get("OldImage")),
        image(data.get("NewImage")),
    )
