"""Finds out how far each shard is behind, by reading the stream after each checkpoint, many shards at once.

This takes an iterator, a page and, if that is empty, a second page. A shard's reads are limited, and its daemon makes
some a second, so a read that is refused is repeated.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from processor.aws.direct_calls import direct_calls
from processor.aws.errors import aws_errors
from processor.aws.response_shapes import NO_ANSWER
from processor.dynamodb import described_stream, record_times
from processor.errors import NotFoundError, RefusedError, UnavailableError
from processor.flow import shapes
from processor.state.status.lineage import Lag, Pending, StreamShard

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

# Concurrent calls: 500 shards in a second if each call takes 10 ms. More threads hinder each other: 32 of them took a
# quarter more CPU for the same calls.
THREADS = 16
# A page may be empty although records follow. Only a closed shard shows where it ends.
_PAGES_OF_OPEN, _PAGES_OF_CLOSED = 2, 50
# A page ends after 1 MB of records (API reference of GetRecords), whatever number was asked for.
_FULL_PAGE_BYTES = 900_000
# Of a sequence number; AWS gives up to 40 (API reference of StreamRecord).
_DIGITS = 100
_TRIMMED = "TrimmedDataAccessException"
_TOO_MANY_READERS = "LimitExceededException"
# Errors that may concern a single shard (API reference of GetRecords, errors).
_OF_ONE_SHARD = frozenset(
    {"InternalServerError", _TOO_MANY_READERS, "ProvisionedThroughputExceededException", "ThrottlingException"}
)

T = TypeVar("T")


class _Iterator(msgspec.Struct):
    iterator: str = msgspec.field(name="ShardIterator")


class _Change(msgspec.Struct):
    """A record's sequence number and time: seconds since the epoch on the wire, a date from botocore's client."""

    sequence_number: str = msgspec.field(name="SequenceNumber")
    made_at: float | datetime = msgspec.field(name="ApproximateCreationDateTime")


class _Record(msgspec.Struct):
    dynamodb: _Change


class _Page(msgspec.Struct):
    records: list[_Record] = msgspec.field(name="Records")
    iterator: str | None = msgspec.field(name="NextShardIterator", default=None)
    size_bytes: int = 0


def describe(client: DynamoDBStreamsClient, arn: str) -> tuple[dict[str, Any], list[StreamShard]] | None:
    """A stream's description with all its shards, or None if there is no such stream.

    :raises UnavailableError: it can't be read
    """
    try:
        found = described_stream.described(client, arn)
    except NotFoundError:
        return None
    return found.description, [
        StreamShard(
            shard_id=shard["ShardId"],
            parent=shard.get("ParentShardId"),
            ending=shard["SequenceNumberRange"].get("EndingSequenceNumber"),
        )
        for shard in found.shards
    ]


class Lags:
    """Reads one stream. ``times`` knows whether the lags are only exact to a minute.

    :param clock: seconds since the epoch
    :param most: how many of a shard's records are read, given its id; of more than one, each lag has what is pending
    """

    def __init__(
        self,
        client: DynamoDBStreamsClient,
        arn: str,
        *,
        clock: Callable[[], float] = time.time,
        most: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self._client = client
        with aws_errors(f"GetRecords on stream {arn}"):
            self._lean = direct_calls(client, operation="GetRecords", parameters={})
        self._arn = arn
        self._clock = clock
        self._most = most
        self._away = threading.Event()
        self.times = record_times.of_stream(arn)
        self.failures: list[UnavailableError] = []

    def read(self, shards: Iterable[StreamShard], checkpoints: Mapping[str, str | None]) -> dict[str, Lag]:
        """The lag of each shard that ``checkpoints`` names; ``failures`` has what could not be read.

        :param checkpoints: KCL's, by shard; None for a shard that will be read from its oldest record
        """
        wanted = [shard for shard in shards if shard.shard_id in checkpoints]
        with ThreadPoolExecutor(THREADS, thread_name_prefix="lag") as pool:
            lags = pool.map(lambda shard: self._look(shard, checkpoints[shard.shard_id]), wanted)
            return {shard.shard_id: lag for shard, lag in zip(wanted, lags, strict=True)}

    def _look(self, shard: StreamShard, checkpoint: str | None) -> Lag:
        if checkpoint not in {None, "TRIM_HORIZON"} and not checkpoint.isdigit():
            return Lag(seconds=None, note=f"not known before its first checkpoint (it begins at {checkpoint})")
        if self._away.is_set():
            return Lag(seconds=None, note="the stream can't be read")
        number = checkpoint if checkpoint and checkpoint.isdigit() else None
        try:
            return self._lag(self._after(shard, number), shard)
        except NotFoundError:
            return Lag(seconds=None, lost=True, note="the stream no longer has it")
        except UnavailableError as exc:
            if exc.code == _TRIMMED:
                return self._trimmed(shard, number)
            return self._failed(exc)

    def _failed(self, exc: UnavailableError) -> Lag:
        self.failures.append(exc)
        if exc.code not in _OF_ONE_SHARD:
            self._away.set()  # otherwise hundreds of shards would each wait for the same timeouts
        why = f"{exc.code}: too many read it" if exc.code == _TOO_MANY_READERS else exc.code
        return Lag(seconds=None, note=f"can't be read ({why})")

    def _trimmed(self, shard: StreamShard, number: str | None) -> Lag:
        """Whether the checkpoint is before the oldest record: DynamoDB Local says "trimmed" of whole shards, too."""
        try:
            found = self._after(shard, None)
        except UnavailableError as exc:
            return self._failed(exc)
        reached = found.records[0].dynamodb.sequence_number if found.records else shard.ending
        if number is not None and reached is not None and int(reached) > int(number):
            return Lag(seconds=None, lost=True, note=f"changes after {number} are past the stream's 24 hours")
        return self._lag(found, shard)

    def _after(self, shard: StreamShard, after: str | None) -> _Page:
        """The shard's first records after a sequence number, or its oldest; an empty page if there are none.

        :raises UnavailableError: it can't be read
        """
        start: Any = {"ShardIteratorType": "TRIM_HORIZON"}
        if after is not None:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
        wanted = {"StreamArn": self._arn, "ShardId": shard.shard_id, **start}
        iterator: str | None = self._call("GetShardIterator", wanted, _Iterator).iterator
        for _ in range(_PAGES_OF_OPEN if shard.ending is None else _PAGES_OF_CLOSED):
            if iterator is None:
                break
            page = self._call("GetRecords", {"ShardIterator": iterator, "Limit": self._most(shard.shard_id)}, _Page)
            if page.records:
                return page
            iterator = page.iterator
        return _Page(records=[])

    def _call(self, operation: str, parameters: dict[str, Any], answer: type[T]) -> T:
        """Make a direct call; if that fails, call by the client, with its retries.

        :raises UnavailableError: it can't be read
        """
        name = f"{operation} on stream {self._arn}"
        with contextlib.suppress(UnavailableError, RefusedError, *NO_ANSWER):
            with aws_errors(name):
                content = self._lean.call(operation, msgspec.json.encode(parameters))
            found = shapes.decode(content, answer)
            if isinstance(found, _Page):
                found.size_bytes = len(content)
            return found
        with aws_errors(name):
            call = self._client.get_records if operation == "GetRecords" else self._client.get_shard_iterator
            made = call(**parameters)
        try:
            return shapes.convert(made, answer)
        except msgspec.ValidationError as exc:
            message = f"{name}: the answer is none of DynamoDB's ({exc})"
            raise UnavailableError(message, code="NotDynamoDB") from exc

    def _lag(self, page: _Page, shard: StreamShard) -> Lag:
        most = self._most(shard.shard_id)
        if not page.records:
            return Lag(seconds=0.0, pending=Pending(count=0) if most > 1 else None)
        first, newest = page.records[0].dynamodb, page.records[-1].dynamodb
        made_at = first.made_at if isinstance(first.made_at, float) else first.made_at.timestamp()
        self.times.see(made_at)
        pending = Pending(
            count=len(page.records),
            first=_number(first.sequence_number),
            newest=_number(newest.sequence_number),
            more=len(page.records) >= most or page.size_bytes > _FULL_PAGE_BYTES,
        )
        return Lag(seconds=round(max(self._clock() - made_at, 0.0), 1), pending=pending if most > 1 else None)


def _number(text: str) -> int | None:
    """A sequence number, or None where an answer has something else in its place."""
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else None
