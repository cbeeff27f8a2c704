"""DynamoDB Streams' calls on a simulated table's streams: parameters in, an encoded answer out."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from tests.fakes.streams.simulated_errors import expired, invalid, limit_of, not_found, too_many_readers, trimmed
from tests.fakes.streams.simulated_stream import MAX_PAGE_RECORDS, Shard, Stream
from tests.fakes.streams.simulated_table import Table

# API reference of GetShardIterator: "A shard iterator expires 15 minutes after it is returned to the requester."
ITERATOR_SECONDS = 15 * 60
# API references of DescribeStream and ListStreams.
MAX_SHARDS = MAX_STREAMS = 100

Content = dict[str, Any]
_encode = msgspec.json.Encoder().encode


class StreamCalls:
    """The calls by name, each with the parameters that are simulated; to be made under the table's lock.

    :param clock: seconds since the epoch
    """

    prefix = "DynamoDBStreams_20120810"

    def __init__(self, table: Table, *, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock
        self.reads_per_second: int | None = None  # of each shard; more are refused
        self._reads: dict[str, deque[float]] = {}  # when each shard was read, within the last second
        self.by_name: dict[str, tuple[Callable[[Content], bytes], set[str]]] = {
            "ListStreams": (self.list_streams, {"Limit", "ExclusiveStartStreamArn"}),
            "DescribeStream": (
                self.describe_stream,
                {"StreamArn", "Limit", "ExclusiveStartShardId", "ShardFilter"},
            ),
            "GetShardIterator": (
                self.get_shard_iterator,
                {"StreamArn", "ShardId", "ShardIteratorType", "SequenceNumber"},
            ),
            "GetRecords": (self.get_records, {"ShardIterator", "Limit"}),
        }

    def list_streams(self, content: Content) -> bytes:
        """ListStreams: of the only table there is, the newest first."""
        streams = list(reversed(self._table.streams))
        start = content.get("ExclusiveStartStreamArn")
        if start is not None:
            streams = [stream for stream in streams if stream.arn < start]
        if content.get("TableName") not in (None, self._table.name):
            streams = []
        limit = limit_of(content, MAX_STREAMS) or MAX_STREAMS
        answer: Content = {
            "Streams": [
                {"StreamArn": stream.arn, "TableName": self._table.name, "StreamLabel": stream.label}
                for stream in streams[:limit]
            ]
        }
        if len(streams) > limit:
            answer["LastEvaluatedStreamArn"] = streams[limit - 1].arn
        return _encode(answer)

    def describe_stream(self, content: Content) -> bytes:
        """DescribeStream."""
        stream = self._stream(content["StreamArn"])
        limit = limit_of(content, MAX_SHARDS) or MAX_SHARDS
        start = content.get("ExclusiveStartShardId") or ""
        shards = [shard for shard in stream.shards if shard.id > start]
        wanted = content.get("ShardFilter")
        if wanted:
            if wanted.get("Type") != "CHILD_SHARDS" or "ShardId" not in wanted:
                raise invalid(f"Invalid ShardFilter: {wanted}")
            shards = [shard for shard in shards if shard.parent == wanted["ShardId"]]
        described: Content = {
            "StreamArn": stream.arn,
            "StreamLabel": stream.label,
            "StreamStatus": "ENABLED" if stream.disabled_at is None else "DISABLED",
            "StreamViewType": stream.view_type,
            "CreationRequestDateTime": stream.made_at,
            "TableName": self._table.name,
            "KeySchema": self._table.key_schema(),
            "Shards": [_described(shard) for shard in shards[:limit]],
        }
        if len(shards) > limit:
            described["LastEvaluatedShardId"] = shards[limit - 1].id
        return _encode({"StreamDescription": described})

    def get_shard_iterator(self, content: Content) -> bytes:
        """GetShardIterator."""
        stream = self._stream(content["StreamArn"], "Stream does not exist")
        shard = _shard(stream, content["ShardId"])
        kind, number = content["ShardIteratorType"], content.get("SequenceNumber")
        newest = shard.sequence_numbers[-1] if shard.sequence_numbers else shard.starting - 1
        if kind in ("TRIM_HORIZON", "LATEST"):
            if number is not None:
                raise invalid(
                    "One or more parameter values were invalid: "
                    "SequenceNumber should not be passed for this iterator type"
                )
            start = shard.oldest if kind == "TRIM_HORIZON" else newest + 1
        elif kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            if number is None or not number.isdigit():
                raise invalid("One or more parameter values were invalid: Invalid SequenceNumber")
            start = int(number)
            if not shard.starting <= start <= max(newest, shard.starting):
                raise invalid("Invalid SequenceNumber for the shard")
            # API reference of TrimmedDataAccessException: "a sequence number older than the trim point".
            if shard.trimmed_past(start):
                raise trimmed()
            start += kind == "AFTER_SEQUENCE_NUMBER"
        else:
            raise invalid("Invalid ShardIteratorType.")
        return _encode({"ShardIterator": self._iterator(stream, shard.id, start)})

    def get_records(self, content: Content) -> bytes:
        """GetRecords."""
        limit = limit_of(content, MAX_PAGE_RECORDS) or MAX_PAGE_RECORDS
        stream, shard, start = self._read_iterator(content["ShardIterator"])
        self._count_read(shard.id)
        # The same: "before you use the iterator (...), a stream record in the shard (...) is trimmed".
        if shard.trimmed_past(start):
            raise trimmed()
        page = shard.page(start, limit)
        records = b",".join(page.records)
        if page.next_start is None:
            return b'{"Records":[%b]}' % records
        return b'{"Records":[%b],"NextShardIterator":"%b"}' % (
            records,
            self._iterator(stream, shard.id, page.next_start).encode(),
        )

    def _count_read(self, shard_id: str) -> None:
        now, reads = self._clock(), self._reads.setdefault(shard_id, deque())
        while reads and now - reads[0] >= 1:
            reads.popleft()
        if self.reads_per_second is not None and len(reads) >= self.reads_per_second:
            raise too_many_readers()
        reads.append(now)

    def _iterator(self, stream: Stream, shard_id: str, start: int) -> str:
        place = base64.b64encode(f"{shard_id}|{start}|{self._clock()!r}".encode()).decode()
        return f"{stream.arn}|1|{place}"

    def _read_iterator(self, iterator: str) -> tuple[Stream, Shard, int]:
        arn, _, place = iterator.partition("|1|")
        try:
            shard_id, start, made_at = base64.b64decode(place, validate=True).decode().split("|")
            age_seconds = self._clock() - float(made_at)
            first = int(start)
        except (ValueError, binascii.Error):
            raise invalid("Invalid ShardIterator") from None
        if age_seconds > ITERATOR_SECONDS:
            raise expired()
        stream = self._stream(arn, "Stream does not exist")
        return stream, _shard(stream, shard_id), first

    def _stream(self, arn: str, message: str = "") -> Stream:
        stream = self._table.find_stream(arn)
        if stream is None:
            raise not_found(message or f"Requested resource not found: Stream: {arn} not found")
        return stream


def _described(shard: Shard) -> Content:
    numbers = {"StartingSequenceNumber": str(shard.starting)}
    if shard.ending is not None:
        numbers["EndingSequenceNumber"] = str(shard.ending)
    described: Content = {"ShardId": shard.id, "SequenceNumberRange": numbers}
    if shard.parent is not None:
        described["ParentShardId"] = shard.parent
    return described


def _shard(stream: Stream, shard_id: str) -> Shard:
    shard = stream.shard(shard_id)
    if shard is None:
        raise not_found("Shard does not exist")
    return shard
