"""Reads a table page by page, in parallel segments, as the bytes that DynamoDB sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from processor.aws.client_calls import TableReads, Units
from processor.aws.response_shapes import NO_ANSWER
from processor.dynamodb.item_view import View
from processor.flow import rate_limiter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Scan's limit of TotalSegments (DynamoDB API reference).
MAX_SEGMENTS = 1_000_000


class Segment(NamedTuple):
    """One of ``total`` parts of a table, counted from 0."""

    number: int
    total: int


class Page(NamedTuple):
    """Items as DynamoDB JSON; ``last_key`` is where the next page starts, or None on the segment's last page."""

    items: list[msgspec.Raw]
    last_key: msgspec.Raw | None
    units: float
    size_bytes: int


class _Answer(msgspec.Struct, rename="pascal"):
    items: list[msgspec.Raw]
    last_evaluated_key: msgspec.Raw = msgspec.Raw(b"")
    consumed_capacity: Units = Units()


decoder = msgspec.json.Decoder(_Answer)


class ScannableTable:
    """Any number of threads may share it.

    :param connect: makes the client at the first read; others may use that client too
    :param view: applied to each item; an item for which it returns None is left out
    """

    def __init__(
        self, name: str, *, region: str, connect: Callable[[], DynamoDBClient], view: View | None = None
    ) -> None:
        self.name = name
        self._view = view
        self._call = TableReads(name, region=region, connect=connect)

    def page(self, segment: Segment, start: msgspec.Raw | None = None, *, limit: int | None = None) -> Page:
        """Scan, eventually consistent.

        :param start: the ``last_key`` of the previous page
        :param limit: maximum of items; without it, as many as fit 1 MB
        :raises RefusedError: ``start`` is not a key of this table
        :raises UnavailableError: it can't be read now
        """
        body = b'{"TableName":"%b","Segment":%d,"TotalSegments":%d,"ReturnConsumedCapacity":"TOTAL"%b%b}' % (
            self.name.encode(),
            segment.number,
            segment.total,
            b"" if start is None else b',"ExclusiveStartKey":%b' % bytes(start),
            b"" if limit is None else b',"Limit":%d' % limit,
        )
        answer = self._call("Scan", body)
        try:
            page = decoder.decode(answer)
        except NO_ANSWER as exc:
            raise self._call.not_dynamodb("Scan") from exc
        return Page(
            items=page.items if self._view is None else [seen for item in page.items if (seen := self._view(item))],
            last_key=page.last_evaluated_key.copy() if bytes(page.last_evaluated_key) else None,
            units=rate_limiter.scanned(page.consumed_capacity.capacity_units, len(answer)),
            size_bytes=len(answer),
        )
