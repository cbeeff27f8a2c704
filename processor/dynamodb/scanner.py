"""Reads a table page by page, in parallel segments, as the bytes that DynamoDB sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from processor.aws.client_calls import TableReads, Units
from processor.aws.response_shapes import NO_ANSWER, is_cut
from processor.dynamodb.item_view import View
from processor.flow import rate_limiter, shapes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Scan's limit of TotalSegments (DynamoDB API reference).
MAX_SEGMENTS = 1_000_000


class Segment(NamedTuple):
    """One of ``total`` parts of a table, counted from 0."""

    number: int
    total: int


class ScanFilter(NamedTuple):
    """What DynamoDB leaves out of a page: all for which the expression is not true. It is read, and paid, all the same.

    :param names: ``{"#n": "name"}``
    :param values: ``{":v": {"S": "x"}}``
    """

    expression: str
    names: Mapping[str, str]
    values: Mapping[str, Any]


class Page(NamedTuple):
    """Items as DynamoDB JSON; ``last_key`` is where the next page starts, or None on the segment's last page.

    ``scanned`` is how many items were read for it, those that were left out too.
    """

    items: list[msgspec.Raw]
    last_key: msgspec.Raw | None
    units: float
    size_bytes: int
    scanned: int


class _Answer(msgspec.Struct, rename="pascal"):
    items: list[msgspec.Raw]
    count: int | None = None
    scanned_count: int = 0
    last_evaluated_key: msgspec.Raw = msgspec.Raw(b"")
    consumed_capacity: Units = Units()


decoder = shapes.decoder(_Answer)


class ScannableTable:
    """Any number of threads may share it.

    :param connect: makes the client at the first read; others may use that client too
    :param view: applied to each item; an item for which it returns None is left out
    :param scan_filter: asked of DynamoDB; everything that the view doesn't leave out must pass it
    """

    def __init__(
        self,
        name: str,
        *,
        region: str,
        connect: Callable[[], DynamoDBClient],
        view: View | None = None,
        scan_filter: ScanFilter | None = None,
    ) -> None:
        self.name = name
        self._view = view
        self._filter = b"" if scan_filter is None else _filter_part(scan_filter)
        self._call = TableReads(name, region=region, connect=connect)

    def page(self, segment: Segment, start: msgspec.Raw | None = None, *, limit: int | None = None) -> Page:
        """Scan, eventually consistent.

        :param start: the ``last_key`` of the previous page
        :param limit: maximum of items; without it, as many as fit 1 MB
        :raises RefusedError: ``start`` is not a key of this table
        :raises UnavailableError: it can't be read now
        """
        body = b'{"TableName":"%b","Segment":%d,"TotalSegments":%d,"ReturnConsumedCapacity":"TOTAL"%b%b%b}' % (
            self.name.encode(),
            segment.number,
            segment.total,
            b"" if start is None else b',"ExclusiveStartKey":%b' % bytes(start),
            b"" if limit is None else b',"Limit":%d' % limit,
            self._filter,
        )
        answer = self._call("Scan", body)
        try:
            page = decoder.decode(answer)
        except NO_ANSWER as exc:
            raise self._call.not_dynamodb("Scan") from exc
        if is_cut(page.count, page.items):
            raise self._call.not_dynamodb("Scan")
        return Page(
            items=page.items if self._view is None else [seen for item in page.items if (seen := self._view(item))],
            last_key=page.last_evaluated_key.copy() if bytes(page.last_evaluated_key) else None,
            units=rate_limiter.scanned(page.consumed_capacity.capacity_units, len(answer)),
            size_bytes=len(answer),
            scanned=max(page.scanned_count, len(page.items)),
        )


def believed_page(
    read: Callable[[msgspec.Raw | None], Page], start: msgspec.Raw | None, key_of: Callable[[msgspec.Raw], msgspec.Raw]
) -> Page:
    """A page; that it is a segment's last is believed only where a second answer has nothing after its last item.

    Otherwise all that follows would be passed over, as if it were not there.

    :param read: makes the call, given where the page starts
    """
    page = read(start)
    if page.last_key is not None:
        return page
    rest = read(key_of(page.items[-1]) if page.items else start)
    is_last = not rest.items and rest.last_key is None
    return Page(
        items=page.items + rest.items,
        last_key=rest.last_key,
        units=page.units + rest.units,
        size_bytes=page.size_bytes + rest.size_bytes,
        scanned=page.scanned if is_last else page.scanned + rest.scanned,
    )


def _filter_part(scan_filter: ScanFilter) -> bytes:
    """The members of a request that ask for it; DynamoDB refuses an empty map of values."""
    asked = {
        "FilterExpression": scan_filter.expression,
        "ExpressionAttributeNames": scan_filter.names,
        "ExpressionAttributeValues": scan_filter.values,
    }
    return b"," + msgspec.json.encode({name: value for name, value in asked.items() if value})[1:-1]
