"""Adds up the digests of two tables in buckets of keys: equal buckets hold equal items. Pure.

The source's are added and the destination's subtracted, modulo 2^64. So the order of items doesn't matter, it doesn't
matter either who adds which of them, and an item that was read twice is noticed, which an exclusive or would not do.
Two buckets with different items look equal once in 2^64.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from mmap import mmap
from typing import Literal

from processor.commands.verify.canonical_form import Digest

Role = Literal["source", "destination"]
ROLES: tuple[Role, ...] = ("source", "destination")

# A bucket has 9 bytes. The minimum is for tables whose number of items is not known yet (DescribeTable's is hours
# old).
MIN_BUCKETS = 1 << 16
MAX_BUCKETS = 1 << 21
# Every item of a differing bucket is read again by its key, at 26 times a scan's price (for items of 300 bytes).
ITEMS_PER_BUCKET = 2
MODULUS = 1 << 64


class Digests:
    """Digests of items of both tables, on their way to the buckets; 12 bytes each."""

    def __init__(self, places: bytes = b"", hashes: bytes = b"") -> None:
        self._places, self._hashes = array("I", places), array("Q", hashes)

    def __len__(self) -> int:
        return len(self._places)

    def add(self, role: Role, digests: Iterable[Digest]) -> None:
        """Add items of a table; each once."""
        for place, item_hash in digests:
            self._places.append(place)
            self._hashes.append(item_hash if role == "source" else -item_hash % MODULUS)

    def packed(self) -> tuple[bytes, bytes]:
        """What makes the same again."""
        return self._places.tobytes(), self._hashes.tobytes()

    def pairs(self) -> Iterable[tuple[int, int]]:
        """Each one's place, and what is to be added there."""
        return zip(self._places, self._hashes, strict=True)

    def sum(self) -> int:
        """Zero if both tables gave the same items, whatever their buckets are."""
        return sum(self._hashes) % MODULUS


def bucket_count(items: int) -> int:
    """The number of buckets for about as many items as the larger table has."""
    size = 1 << max(0, items // ITEMS_PER_BUCKET - 1).bit_length()
    return min(MAX_BUCKETS, max(MIN_BUCKETS, size))


class BucketDigests:
    """Not for several threads at once.

    :param size: see ``bucket_count``
    """

    def __init__(self, size: int) -> None:
        self._sums = array("Q", bytes(8 * size))

    def add(self, digests: Digests) -> None:
        """Add items."""
        sums, mask = self._sums, len(self._sums) - 1
        for place, item_hash in digests.pairs():
            number = place & mask
            sums[number] = (sums[number] + item_hash) % MODULUS

    def differing(self) -> list[int]:
        """The numbers of the buckets that differ, when all items of both tables were added."""
        return [number for number, each in enumerate(self._sums) if each]


class DifferingBuckets:
    """The buckets whose items may differ.

    :param marks: a byte for each bucket, zero at first; processes that are forked may share them
    """

    def __init__(self, marks: bytearray | mmap) -> None:
        self._marks = marks
        self._mask = len(marks) - 1

    def __len__(self) -> int:
        return len(self._marks)

    def mark(self, numbers: Sequence[int]) -> None:
        """These differ."""
        for number in numbers:
            self._marks[number] = 1

    def __contains__(self, place: int) -> bool:
        return bool(self._marks[place & self._mask])
