"""Finds the keys where two tables differ, in bounded memory and with few reads beside two scans.

1. Both tables are scanned, and their items' digests are added up in buckets (``digests.py``). Equal buckets hold equal
   items. The order of a scan is not documented, and may differ between two tables; sums don't depend on it. Where two
   scans happen to give the same bytes side by side, no digest is needed (``matcher.py``).
2. If some buckets differ, both tables are scanned again, but for the parts that are equal by themselves
   (``settled.py``). Items of those buckets are looked up in the other table: the source's scan finds what is missing or
   different, the destination's what is extra.
3. Keys that seem to differ are read again (``recheck.py``).

The scans are shared by processes (``crew.py``), which tell what they find a stretch at a time; all of it is put
together here.

If both tables delete the same items by TTL (``expiry.py``), items past it are left out of the sums, because each table
may have deleted other ones. An item that is past it in one table only makes its bucket differ, and is looked up.

If the destination keeps what TTL deletes at the source, items past it are left out of the sums, too, because the source
lacks most of them. But each of the source's is to be at the destination, so they are looked up there by their keys.

A sample skips the first step: some of many segments of each table are drawn at random, and each of their items is
looked up in the other table.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import msgspec

from processor.commands.verify.crew import Crew
from processor.commands.verify.digests import BucketDigests, DifferingBuckets, Digests, Role
from processor.commands.verify.part import RAW, Part, PartQueue, Stretch
from processor.commands.verify.recheck import Recheck
from processor.commands.verify.report import Found, Results
from processor.commands.verify.settled import SettledParts
from processor.commands.verify.sides import Sides
from processor.commands.verify.steps import Step
from processor.dynamodb.scanner import MAX_SEGMENTS
from processor.flow import shapes

# Many, so that the last ones end at about the same time.
_PARTS_PER_THREAD = 4
# But a small table is read in few calls.
_FEWEST_PARTS = 16
_BYTES_PER_PART = 1024 * 1024
# For a sample: enough that the number drawn matches the share asked for, and that each is a page or less.
_SAMPLE_SEGMENTS = 100
_FEWEST_DRAWN = 10
_ITEMS_PER_SEGMENT = 2_000

_named_decoder = shapes.decoder(Found)


class Comparison:
    """One run; ``step`` has its progress. Implements ``crew.Taker``.

    :param crew: does the parts
    :param differing: marked before the second step, and seen by the crew; None for a sample
    :param share: the part of the items to compare; less than 1 is a sample
    :param settled: the parts of the first step, and those that are settled already; by default as many as suit the crew
    """

    def __init__(
        self,
        sides: Sides,
        *,
        crew: Crew,
        recheck: Recheck,
        results: Results,
        buckets: BucketDigests,
        differing: DifferingBuckets | None,
        share: float = 1.0,
        chance: random.Random,
        settled: SettledParts | None = None,
    ) -> None:
        self._sides = sides
        self._crew = crew
        self._recheck = recheck
        self._results = results
        self._buckets = buckets
        self._differing = differing
        self._share = share
        self._chance = chance
        largest = max(sides["source"].size_bytes, sides["destination"].size_bytes)
        self._settled = settled or SettledParts(self._parts(largest))
        self.step = Step("begin")

    def run(self) -> None:
        """Compare; ``results`` has what was found, whatever is raised.

        :raises StoppedError: the workers were stopped
        :raises ReplicatorError: a table can't be read
        """
        report = self._results.report
        if self._differing is not None and not self._sum(self._differing):
            self._results.equal(report.source_items - report.source_expired)
        else:
            if self._differing is not None:
                counts = self._settled.settled.counts
                self._results.equal(counts.source_items - counts.source_expired)
            self._look("source")
            self._look("destination")
        report.complete = True

    def _sum(self, differing: DifferingBuckets) -> bool:
        """Scan both tables for the sums, and mark the buckets that differ; returns whether some do."""
        left: dict[Role, str | None] = {"source": None, "destination": None}
        before = self._settled.settled.counts
        self.step = Step("digests", self._sides["source"].items + self._sides["destination"].items)
        self.step.done = before.source_items + before.destination_items
        self._results.scanned("source", before.source_items, before.source_expired)
        self._results.scanned("destination", before.destination_items, before.destination_expired)
        self._results.equal(before.equal)
        parts = PartQueue(Part(number=number, total=self._settled.total, left=left) for number in self._settled.left)
        self._crew.run(parts, self)
        self._recheck.finish()
        numbers = self._buckets.differing()
        differing.mark(numbers)
        return bool(numbers)

    def _look(self, role: Role) -> None:
        """Find the keys of a table whose items the other one lacks, or has with other values."""
        self.step = Step(f"{role}'s items", round(self._sides[role].items * self._share))
        total, numbers = self._segments(role)
        parts = PartQueue(Part(number=number, total=total, left={role: None}, looked_up=role) for number in numbers)
        self._crew.run(parts, self)
        self.step = Step(f"{role}'s keys that seem to differ")
        self._recheck.finish()

    @property
    def has_room(self) -> bool:
        """As ``crew.Taker`` says."""
        return not self._recheck.is_full

    def take(self, stretch: Stretch) -> None:
        """As ``crew.Taker`` says."""
        if stretch.rest.looked_up is None:
            self._buckets.add(Digests(stretch.places, stretch.hashes))
            self._settled.add(stretch)
        for each, items in stretch.scanned.items():
            self.step.done += items
            self._results.scanned(each, items, stretch.expired.get(each, 0))
        self._results.equal(stretch.equal)
        if stretch.named:
            self._results.found([_named_decoder.decode(found) for found in stretch.named])
        if stretch.keys:
            role = stretch.rest.looked_up or "source"
            self._recheck.add(role, [msgspec.Raw(key.encode(RAW)) for key in stretch.keys])

    def _parts(self, size_bytes: int) -> int:
        return min(self._crew.threads * _PARTS_PER_THREAD, max(_FEWEST_PARTS, size_bytes // _BYTES_PER_PART))

    def _segments(self, role: Role) -> tuple[int, Iterable[int]]:
        """How many there are of a table, and the numbers of those that are read."""
        side = self._sides[role]
        if self._share == 1:
            return self._settled.total, self._settled.left
        total = max(_SAMPLE_SEGMENTS, math.ceil(_FEWEST_DRAWN / self._share), side.items // _ITEMS_PER_SEGMENT)
        total = min(total, MAX_SEGMENTS)
        return total, self._chance.sample(range(total), max(1, round(total * self._share)))
