"""Which parts of the two tables hold the same items, by themselves. Pure.

A part is a segment of each table, of the same number. Where both were read to their end and their digests add up to
zero, both hold the same items, and nothing more is to be known of them: they need not be looked up if other parts
differ, and who goes on with an interrupted pass need not read them again. Nothing relies on DynamoDB's putting an item
into the same segment of both tables: where it doesn't, both parts differ, and their buckets tell. Only of an item that
is past its TTL, and so in no sum, that may be untrue: where it is in another part of the other table, and its date is
moved after its own part was settled, the pass may count it as compared once too often. The next one finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from processor.commands.verify.digests import MODULUS, Digests
from processor.commands.verify.part import Stretch


class PartCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of items that were read, and of those past their TTL among them; see ``VerifyReport``.

    ``equal``: of those past their TTL, how many were looked up and are equal; see ``VerifyTask.looks_up_expired``.
    """

    source_items: int = 0
    destination_items: int = 0
    source_expired: int = 0
    destination_expired: int = 0
    equal: int = 0

    def __add__(self, other: PartCounts) -> PartCounts:
        """Both together."""
        return PartCounts(
            source_items=self.source_items + other.source_items,
            destination_items=self.destination_items + other.destination_items,
            source_expired=self.source_expired + other.source_expired,
            destination_expired=self.destination_expired + other.destination_expired,
            equal=self.equal + other.equal,
        )

    @classmethod
    def of(cls, stretch: Stretch) -> PartCounts:
        """Those of one stretch."""
        return cls(
            source_items=stretch.scanned.get("source", 0),
            destination_items=stretch.scanned.get("destination", 0),
            source_expired=stretch.expired.get("source", 0),
            destination_expired=stretch.expired.get("destination", 0),
            equal=stretch.equal,
        )


class Settled(NamedTuple):
    """The numbers of the parts that are settled, and the counts of their items."""

    numbers: frozenset[int] = frozenset()
    counts: PartCounts = PartCounts()


class _Open:
    """A part of which something is left."""

    def __init__(self) -> None:
        self.sum = 0
        self.has_keys = False
        self.counts = PartCounts()


class SettledParts:
    """Whoever adds stretches does so one after the other; any thread may look at ``settled`` meanwhile.

    :param total: how many parts there are; their numbers begin with 0
    :param before: those that were settled before
    :param numbers: of those that are compared, if that is not all of them
    """

    def __init__(
        self,
        total: int,
        before: Settled = Settled(),  # noqa: B008  # it is immutable
        *,
        numbers: Sequence[int] | None = None,
    ) -> None:
        self.total = total
        self.settled = before
        self._numbers = range(total) if numbers is None else numbers
        self._open: dict[int, _Open] = {}

    @property
    def left(self) -> list[int]:
        """The numbers of those that are not settled."""
        return [number for number in self._numbers if number not in self.settled.numbers]

    def add(self, stretch: Stretch) -> bool:
        """Take what was found in a stretch of a part; returns whether that part is settled now."""
        number = stretch.rest.number
        part = self._open.setdefault(number, _Open())
        part.sum = (part.sum + Digests(stretch.places, stretch.hashes).sum()) % MODULUS
        part.has_keys = part.has_keys or bool(stretch.keys)
        part.counts += PartCounts.of(stretch)
        if stretch.rest.left:
            return False
        del self._open[number]
        if part.sum or part.has_keys:
            return False
        numbers, counts = self.settled
        self.settled = Settled(numbers | {number}, counts + part.counts)
        return True
