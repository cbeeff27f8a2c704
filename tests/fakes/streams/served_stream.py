"""What the streams that a bench reads have in common: a table's stream of open shards, served by a process of its own.

A position in a shard is the number of records before it. A shard stays open: after its last record come empty pages.
"""

from __future__ import annotations

import bisect
import collections
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from tests.fakes.dynamodb.recorded_table import TTL_OFF, described
from tests.fakes.network.raw_http import ServerProcess, refusal, response

if TYPE_CHECKING:
    from typing_extensions import Self

TABLE = "source"
ARN = f"arn:aws:dynamodb:us-east-1:000000000000:table/{TABLE}/stream/2026-01-01T00:00:00.000"
# GetRecords' most records, and DescribeStream's most shards (API reference).
MAX_PAGE_RECORDS = 1000
_MAX_PAGE_SHARDS = 100


class StreamProcess(ServerProcess):
    """The server, from outside; ``settings`` are those of a replication from its table."""

    def __init__(self, module: str, *arguments: str) -> None:
        super().__init__(module, *arguments)
        self.settings = {"sourceRegion": "us-east-1", "sourceTable": TABLE}

    def __enter__(self) -> Self:
        super().__enter__()
        self.settings["sourceEndpoint"] = self.endpoint
        return self


class ServedStream(ABC):
    """What the server answers; subclasses have the records.

    :param shards: how many there are
    """

    delay_seconds = 0.0

    def __init__(self, *, shards: int) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self._shards = [f"shardId-{1_790_000_000_000 + number:020d}-{number:08x}" for number in range(shards)]
        self._calls: dict[str, Callable[[Any], bytes]] = {
            "DescribeTable": lambda _: described(TABLE, LatestStreamArn=ARN),
            "DescribeTimeToLive": lambda _: TTL_OFF,
            "DescribeStream": self._describe,
            "GetShardIterator": self._iterate,
            "GetRecords": self._read,
        }

    @abstractmethod
    def length(self, shard: int) -> int:
        """How many records the shard has."""

    @abstractmethod
    def number_at(self, shard: int, position: int) -> str:
        """The sequence number of the record at a position."""

    @abstractmethod
    def position_of(self, shard: int, sequence_number: str) -> int:
        """The position of the record that has a sequence number."""

    @abstractmethod
    def records(self, shard: int, position: int, most: int) -> tuple[int, bytes]:
        """Up to ``most`` records from a position on: how many they are, and their JSON, separated by commas."""

    def answer(self, operation: str, body: bytes) -> bytes:
        """Whatever it doesn't know is answered with ``{}``."""
        call = self._calls.get(operation, lambda _: b"{}")
        try:
            return response(call(msgspec.json.decode(body)))
        except (ValueError, KeyError) as exc:
            return refusal("ValidationException", f"{operation}: {exc}")

    def _describe(self, asked: dict[str, Any]) -> bytes:
        first = bisect.bisect_right(self._shards, asked.get("ExclusiveStartShardId") or "")
        shown = self._shards[first : first + _MAX_PAGE_SHARDS]
        content: dict[str, Any] = {
            "StreamArn": ARN,
            "StreamLabel": ARN.rpartition("/")[2],
            "StreamStatus": "ENABLED",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "CreationRequestDateTime": 1767225600.0,
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "Shards": [
                {"ShardId": name, "SequenceNumberRange": {"StartingSequenceNumber": self.number_at(number, 0)}}
                for number, name in enumerate(shown, first)
            ],
        }
        if first + len(shown) < len(self._shards):
            content["LastEvaluatedShardId"] = shown[-1]
        return msgspec.json.encode({"StreamDescription": content})

    def _iterate(self, asked: dict[str, Any]) -> bytes:
        shard, kind = self._shards.index(asked["ShardId"]), asked["ShardIteratorType"]
        position = {"TRIM_HORIZON": 0, "LATEST": self.length(shard)}.get(kind)
        if position is None:
            position = self.position_of(shard, asked["SequenceNumber"]) + (kind == "AFTER_SEQUENCE_NUMBER")
        return msgspec.json.encode({"ShardIterator": f"{ARN}|1|{shard}|{position}"})

    def _read(self, asked: dict[str, Any]) -> bytes:
        *_, shard, start = asked["ShardIterator"].split("|")
        count, records = self.records(int(shard), int(start), asked.get("Limit", MAX_PAGE_RECORDS))
        return b'{"NextShardIterator":"%b|1|%b|%d","Records":[%b]}' % (
            ARN.encode(),
            shard.encode(),
            int(start) + count,
            records,
        )


def insert(*, key: dict[str, Any], item: dict[str, Any], number: str, created: float, size_bytes: int) -> bytes:
    """The JSON of a record of a new item, as DynamoDB Streams answers it.

    :param number: its sequence number
    :param created: when it was written, in seconds since the epoch
    """
    content = {
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": created,
            "Keys": key,
            "NewImage": item,
            "SequenceNumber": number,
            "SizeBytes": size_bytes,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventID": f"{number:0>32}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventVersion": "1.1",
    }
    return msgspec.json.encode(content)
