"""A table's stream of as many open shards as a bench wants, nearly all quiet, in a process of its own.

A record is written to one shard by ``LiveStream.write``, and has the moment of that in its image: ``NullSink`` tells
from it how long each took. The simulator can do more, in the test's own process, and would be the
limit where hundreds of shards are read.
"""

from __future__ import annotations

import argparse
import bisect
import collections
import http.client
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import msgspec

from tests.fakes.dynamodb.recorded_table import described
from tests.fakes.network.raw_http import ServerProcess, refusal, response, serve

TABLE = "source"
ARN = f"arn:aws:dynamodb:us-east-1:000000000000:table/{TABLE}/stream/2026-01-01T00:00:00.000"
# The attribute that has the moment of a write, in ns of the machine's monotonic clock: what reads it knows it by this.
WRITTEN_AT = "written_at_ns"
# DescribeStream's most (API reference).
_MAX_SHARDS_OF_A_PAGE = 100
_FIRST_NUMBER = 4_421_584_500_000_000_000_000
_SHARD_STEP = 10**12


class LiveStream(ServerProcess):
    """The server, from outside; it counts its calls by name, and has in ``shards_read`` how many were read so far.

    :param shards: all open, all empty
    """

    def __init__(self, *, shards: int) -> None:
        super().__init__("tests.fakes.streams.live_stream", f"--shards={shards}")
        self.settings = {"sourceRegion": "us-east-1", "sourceTable": TABLE}

    def __enter__(self) -> LiveStream:  # noqa: PYI034  # Self came with Python 3.11
        super().__enter__()
        self.settings["sourceEndpoint"] = self.endpoint
        self._connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=30)
        return self

    def write(self, shard: int) -> None:
        """Add a record of a new item to the shard of that number."""
        self._connection.request("POST", "/", str(shard), {"X-Amz-Target": "Bench.Write"})
        self._connection.getresponse().read()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        super().__exit__(kind, error, trace)


class Live:
    """What it answers; the private methods take a request's content."""

    delay_seconds = 0.0

    def __init__(self, *, shards: int) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self._shards = [f"shardId-{1_790_000_000_000 + number:020d}-{number:08x}" for number in range(shards)]
        self._records: list[list[bytes]] = [[] for _ in range(shards)]
        self._unread = set(range(shards))
        self._calls: dict[str, Callable[[Any], bytes]] = {
            "DescribeTable": lambda _: described(TABLE, LatestStreamArn=ARN),
            "DescribeStream": self._describe,
            "GetShardIterator": self._iterate,
            "GetRecords": self._read,
            "Write": self._write,
        }

    def answer(self, operation: str, body: bytes) -> bytes:
        """Whatever it doesn't know is answered with ``{}``."""
        call = self._calls.get(operation, lambda _: b"{}")
        try:
            return response(call(msgspec.json.decode(body)))
        except (ValueError, KeyError) as exc:
            return refusal("ValidationException", f"{operation}: {exc}")

    def _describe(self, asked: dict[str, Any]) -> bytes:
        first = bisect.bisect_right(self._shards, asked.get("ExclusiveStartShardId") or "")
        shown = self._shards[first : first + _MAX_SHARDS_OF_A_PAGE]
        content: dict[str, Any] = {
            "StreamArn": ARN,
            "StreamLabel": ARN.rpartition("/")[2],
            "StreamStatus": "ENABLED",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "CreationRequestDateTime": 1767225600.0,
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "Shards": [
                {"ShardId": name, "SequenceNumberRange": {"StartingSequenceNumber": str(_number(first + index, 0))}}
                for index, name in enumerate(shown)
            ],
        }
        if first + len(shown) < len(self._shards):
            content["LastEvaluatedShardId"] = shown[-1]
        return msgspec.json.encode({"StreamDescription": content})

    def _iterate(self, asked: dict[str, Any]) -> bytes:
        shard, kind = self._shards.index(asked["ShardId"]), asked["ShardIteratorType"]
        place = {"TRIM_HORIZON": 0, "LATEST": len(self._records[shard])}.get(kind)
        if place is None:
            place = int(asked["SequenceNumber"]) - _number(shard, 0) + (kind == "AFTER_SEQUENCE_NUMBER")
        return msgspec.json.encode({"ShardIterator": f"{ARN}|1|{shard}|{place}"})

    def _read(self, asked: dict[str, Any]) -> bytes:
        *_, shard, start = asked["ShardIterator"].split("|")
        self._unread.discard(int(shard))
        self.counts["shards_read"] = len(self._shards) - len(self._unread)
        found = self._records[int(shard)][int(start) : int(start) + asked.get("Limit", 1000)]
        return b'{"NextShardIterator":"%b|1|%b|%d","Records":[%b]}' % (
            ARN.encode(),
            shard.encode(),
            int(start) + len(found),
            b",".join(found),
        )

    def _write(self, shard: int) -> bytes:
        records = self._records[shard]
        key = {"id": {"S": f"item-{shard:04d}-{len(records):06d}"}}
        now = time.monotonic_ns()
        content = {
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": float(int(time.time())),
                "Keys": key,
                "NewImage": {**key, WRITTEN_AT: {"N": str(now)}, "note": {"S": "x" * 150}},
                "SequenceNumber": str(_number(shard, len(records))),
                "SizeBytes": 200,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventID": f"{shard:016x}{len(records):016x}",
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "eventVersion": "1.1",
        }
        records.append(msgspec.json.encode(content))
        return b"{}"


def _number(shard: int, place: int) -> int:
    return _FIRST_NUMBER + shard * _SHARD_STEP + place


def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shards", type=int, required=True)
    serve(Live(shards=parser.parse_args().shards))


if __name__ == "__main__":
    main()
