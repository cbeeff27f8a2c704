"""Adds up the digests of two tables in buckets of keys: equal buckets hold equal items. Pure.

They are added modulo 2^64: the order of items doesn't matter, and an item that was read twice is noticed, which an
exclusive or would not do. Two buckets with different items look equal once in 2^64.
"""

from __future__ import annotations

import operator
from array import array
from collections.abc import Iterable
from itertools import compress
from typing import Literal

from processor.commands.verify.canonical_form import Digest

Role = Literal["source", "destination"]

# A bucket has 20 bytes. The minimum is for tables whose number of items is not known yet (DescribeTable's is hours
# old).
MIN_BUCKETS = 1 << 16
MAX_BUCKETS = 1 << 21
# Every item of a differing bucket is read again by its key, at 26 times a scan's price (for items of 300 bytes).
ITEMS_PER_BUCKET = 2
_MODULUS = 1 << 64


class BucketDigests:
    """Not for several threads at once.

    :param items: about as many as the larger table has
    """

    def __init__(self, items: int) -> None:
        size = 1 << max(0, items // ITEMS_PER_BUCKET - 1).bit_length()
        size = min(MAX_BUCKETS, max(MIN_BUCKETS, size))
        self._mask = size - 1
        self._sums = {role: array("Q", bytes(8 * size)) for role in ("source", "destination")}
        self._source_items = array("I", bytes(4 * size))

    def add(self, role: Role, digests: Iterable[Digest], *, counted: bool = True) -> None:
        """Add items of a table; each once.

        :param counted: whether they count as ``DifferingBuckets.equal_items`` if their bucket is equal
        """
        sums, mask, counted = self._sums[role], self._mask, counted and role == "source"
        for place, item_hash in digests:
            number = place & mask
            sums[number] = (sums[number] + item_hash) % _MODULUS
            if counted:
                self._source_items[number] += 1

    def compare(self) -> DifferingBuckets:
        """The result, when all items of both tables were added."""
        differ = bytearray(map(operator.ne, self._sums["source"], self._sums["destination"]))
        suspicious = sum(compress(self._source_items, differ))
        return DifferingBuckets(differ, equal_items=sum(self._source_items) - suspicious)


class DifferingBuckets:
    """The buckets whose items may differ; ``equal_items`` of the source are in the other buckets."""

    def __init__(self, differ: bytearray, *, equal_items: int) -> None:
        self.equal_items = equal_items
        self._differ = differ
        self._mask = len(differ) - 1

    def __bool__(self) -> bool:
        return any(self._differ)

    def __contains__(self, place: int) -> bool:
        return bool(self._differ[place & self._mask])
