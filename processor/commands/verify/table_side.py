"""One of the two tables that are compared: its pages, and its items by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from processor.commands.verify.digests import Role
from processor.commands.verify.part import RAW
from processor.dynamodb.absence import each_insisted
from processor.dynamodb.keys import identity_of, key_reader
from processor.dynamodb.reader import MAX_KEYS_PER_CALL, ReadableTable
from processor.dynamodb.scanner import ScannableTable, Segment, believed_page
from processor.flow.rate_limiter import READ_UNIT_BYTES, Capacity
from processor.flow.retry import Retry

# Of one answer of BatchGetItem; several threads each have an answer of both tables in hand.
_BYTES_PER_CALL = 2 * 1024 * 1024
# Of a page of 1 MB, Scan's limit, eventually consistent: half a unit for each 4 KB.
_PAGE_UNITS = 1024 * 1024 / READ_UNIT_BYTES / 2


class TableSide:
    """Any number of threads may share it; calls that fail are made again, see ``Retry``.

    :param description: the table's, as DescribeTable has it
    :param scannable: the table, page by page
    :param readable: the table, by keys; it tells ``capacity`` what it consumes
    :param capacity: limits all reads
    """

    def __init__(
        self,
        role: Role,
        description: Mapping[str, Any],
        *,
        scannable: ScannableTable,
        readable: ReadableTable,
        retry: Retry,
        capacity: Capacity | None = None,
    ) -> None:
        self.role = role
        self.name = scannable.name
        # Of some hours ago (DynamoDB API reference): for estimates.
        self.items = int(description.get("ItemCount", 0))
        self.size_bytes = int(description.get("TableSizeBytes", 0))
        average_bytes = self.size_bytes // max(1, self.items)
        self._page_units = min(_PAGE_UNITS, self.size_bytes / READ_UNIT_BYTES / 2)
        self._keys_per_call = max(1, min(MAX_KEYS_PER_CALL, _BYTES_PER_CALL // max(1, average_bytes)))
        self.key_names = [str(part["AttributeName"]) for part in description["KeySchema"]]
        self.key_of = key_reader(self.key_names)
        self._scannable = scannable
        self._readable = readable
        self._retry = retry
        self._capacity = capacity or Capacity()

    def page(self, segment: Segment, start: str | None) -> tuple[list[msgspec.Raw], str | None]:
        """Items of a segment, eventually consistent.

        :param start: the key after which they begin, see ``Part``; None for the segment's first ones
        :returns: the items, and where the next ones begin; None if these were the last
        """
        begin = None if start is None else msgspec.Raw(start.encode(RAW))
        with self._capacity.reserve(self._page_units):
            page = believed_page(lambda at: self._retry(lambda: self._scannable.page(segment, at)), begin, self.key_of)
        self._capacity.consume(page.units)
        return page.items, None if page.last_key is None else bytes(page.last_key).decode(RAW)

    def share(self, processes: int) -> None:
        """Keep to an even share of the limit; see ``Capacity.share``."""
        self._capacity.share(processes)

    def items_of(self, keys: Mapping[bytes, msgspec.Raw]) -> dict[bytes, msgspec.Raw]:
        """Read items by their keys, strongly consistently; keys without an item are left out.

        With ``ttlDeletes=ignore`` an item of which nothing is written is ``UNSEEN``.

        :param keys: by their identities, and no more than ``chunks`` puts together
        """
        if not keys:
            return {}
        with self._capacity.reserve(len(keys)):
            found = self._retry(lambda: self._readable.get_pairs(list(keys.values())))
        return {identity_of(self.key_of(item)): seen for item, seen in found if seen is not None}

    def items_insisted(self, keys: Mapping[bytes, msgspec.Raw]) -> dict[bytes, msgspec.Raw]:
        """The same; that there is no item of a key, two answers must say."""
        return each_insisted(self.items_of, keys)

    def chunks(self, keys: Sequence[tuple[bytes, msgspec.Raw]]) -> Iterator[dict[bytes, msgspec.Raw]]:
        """Cut keys into parts for ``items_of``, small enough that the items of each fit in memory."""
        for first in range(0, len(keys), self._keys_per_call):
            yield dict(keys[first : first + self._keys_per_call])
