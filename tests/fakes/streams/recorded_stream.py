"""A table's stream of recorded pages, in a process of its own: as many records as a bench wants, at next to no cost.

A block of records is encoded once, and its number put in when it is read; so millions take no memory, and any page is
found from its place alone. Each record is an INSERT of a new key, as DynamoDB Streams answers it on the wire. A shard
stays open: after its last record come empty pages.
"""

from __future__ import annotations

import argparse
import collections
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tests.fakes.dynamodb.attribute_values import size_bytes
from tests.fakes.dynamodb.recorded_table import described
from tests.fakes.network.raw_http import ServerProcess, refusal, response, serve

TABLE = "source"
ARN = f"arn:aws:dynamodb:us-east-1:000000000000:table/{TABLE}/stream/2026-01-01T00:00:00.000"
# GetRecords' limits (API reference).
MAX_PAGE_RECORDS = 1000
MAX_PAGE_BYTES = 2**20
_FIRST_NUMBER = b"4421584500"
_MARK = b"@@@@@@@@"  # a shard's number of two digits, and its block's of six


class RecordedStream(ServerProcess):
    """The server, from outside; it counts ``records`` that it gave, and has the last one's moment in ``last_ns``.

    :param records: of each shard
    :param item_bytes: of each new image, as DynamoDB counts
    :param repeated: the share of a page's records that have the key of another one of it
    """

    def __init__(self, *, records: int, shards: int = 1, item_bytes: int = 200, repeated: float = 0) -> None:
        super().__init__(
            "tests.fakes.streams.recorded_stream",
            f"--shards={shards}",
            f"--records={records}",
            f"--item-bytes={item_bytes}",
            f"--repeated={repeated}",
        )
        self.settings = {"sourceRegion": "us-east-1", "sourceTable": TABLE}

    def __enter__(self) -> RecordedStream:  # noqa: PYI034  # Self came with Python 3.11
        super().__enter__()
        self.settings["sourceEndpoint"] = self.endpoint
        return self


class Recording:
    """What it answers; the private methods take a request's content."""

    delay_seconds = 0.0

    def __init__(self, *, shards: int, records: int, item_bytes: int, repeated: float) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self._shards = [f"shardId-{1_790_000_000_000 + number:020d}-{number:08x}" for number in range(shards)]
        self._records = records
        self._block = _block(item_bytes, repeated)
        self._templates: dict[tuple[int, int], bytes] = {}
        self._calls: dict[str, Callable[[dict[str, Any]], bytes]] = {
            "DescribeTable": lambda _: described(TABLE, LatestStreamArn=ARN),
            "DescribeStream": self._describe,
            "GetShardIterator": self._iterate,
            "GetRecords": self._read,
        }

    def answer(self, operation: str, body: bytes) -> bytes:
        """Whatever it doesn't know is answered with ``{}``."""
        call = self._calls.get(operation, lambda _: b"{}")
        try:
            return response(call(msgspec.json.decode(body)))
        except (ValueError, KeyError) as exc:
            return refusal("ValidationException", f"{operation}: {exc}")

    def _describe(self, _: dict[str, Any]) -> bytes:
        described: dict[str, Any] = {
            "StreamArn": ARN,
            "StreamLabel": ARN.rpartition("/")[2],
            "StreamStatus": "ENABLED",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "CreationRequestDateTime": 1767225600.0,
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "Shards": [
                {"ShardId": name, "SequenceNumberRange": {"StartingSequenceNumber": self._number_at(number, 0)}}
                for number, name in enumerate(self._shards)
            ],
        }
        return msgspec.json.encode({"StreamDescription": described})

    def _iterate(self, asked: dict[str, Any]) -> bytes:
        shard, kind = self._shards.index(asked["ShardId"]), asked["ShardIteratorType"]
        place = {"TRIM_HORIZON": 0, "LATEST": self._records}.get(kind)
        if place is None:
            place = self._place_of(asked["SequenceNumber"]) + (kind == "AFTER_SEQUENCE_NUMBER")
        return msgspec.json.encode({"ShardIterator": f"{ARN}|1|{shard}|{place}"})

    def _read(self, asked: dict[str, Any]) -> bytes:
        *_, shard, start = asked["ShardIterator"].split("|")
        block, first = divmod(int(start), len(self._block))
        count = min(asked.get("Limit", MAX_PAGE_RECORDS), len(self._block) - first, self._records - int(start))
        self.counts["records"] += count
        records = b""
        if count:
            self.counts["last_ns"] = time.monotonic_ns()
            records = self._template(first, count).replace(_MARK, b"%02d%06d" % (int(shard), block))
        return b'{"NextShardIterator":"%b|1|%b|%d","Records":[%b]}' % (
            ARN.encode(),
            shard.encode(),
            int(start) + count,
            records,
        )

    def _template(self, first: int, count: int) -> bytes:
        found = self._templates.get((first, count))
        if found is None:
            found = self._templates[first, count] = b",".join(self._block[first : first + count])
        return found

    def _number_at(self, shard: int, place: int) -> str:
        block, index = divmod(place, len(self._block))
        return f"{_FIRST_NUMBER.decode()}{shard:02d}{block:06d}{index:04d}"

    def _place_of(self, sequence_number: str) -> int:
        return int(sequence_number[-10:-4]) * len(self._block) + int(sequence_number[-4:])


def _block(item_bytes: int, repeated: float) -> list[bytes]:
    """The records of a page as large as can be, with a mark for the block's number."""
    count = max(1, min(MAX_PAGE_RECORDS, MAX_PAGE_BYTES // item_bytes))
    distinct = max(1, count - round(count * repeated))
    mark, now = _MARK.decode(), float(int(time.time()))  # a record of long ago would be warned about
    records = []
    for index in range(count):
        key = {"id": {"S": f"{mark}-{index % distinct:04d}"}}
        item: dict[str, Any] = {**key, "customer": {"S": f"customer-{index:04d}"}, "total": {"N": f"{index + 1}.25"}}
        item["note"] = {"S": "x" * max(0, item_bytes - size_bytes(item) - len("note"))}
        content = {
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": now,
                "Keys": key,
                "NewImage": item,
                "SequenceNumber": f"{_FIRST_NUMBER.decode()}{mark}{index:04d}",
                "SizeBytes": size_bytes(key) + size_bytes(item),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventID": f"{index:020x}{mark}{index:04d}",
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "eventVersion": "1.1",
        }
        records.append(msgspec.json.encode(content))
    return records


def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    parser = argparse.ArgumentParser()
    for option in ("--shards", "--records", "--item-bytes"):
        parser.add_argument(option, type=int, required=True)
    parser.add_argument("--repeated", type=float, default=0.0)
    given = parser.parse_args()
    serve(Recording(shards=given.shards, records=given.records, item_bytes=given.item_bytes, repeated=given.repeated))


if __name__ == "__main__":
    main()
