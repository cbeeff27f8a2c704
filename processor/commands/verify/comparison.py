"""Finds the keys where two tables differ, in bounded memory and with few reads beside two scans.

1. Both tables are scanned, and their items' digests are added up in buckets (``digests.py``). Equal buckets hold equal
   items. The order of a scan is not documented, and may differ between two tables; sums don't depend on it.
2. If some buckets differ, both tables are scanned again. Items of those buckets are looked up in the other table: the
   source's scan finds what is missing or different, the destination's what is extra.
3. Keys that seem to differ are read again (``recheck.py``).

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
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from processor.commands.verify.digests import BucketDigests, DifferingBuckets
from processor.commands.verify.judge import Judge
from processor.commands.verify.recheck import Recheck, identified
from processor.commands.verify.report import Results
from processor.commands.verify.table_side import TableSide
from processor.dynamodb.item_view import UNSEEN
from processor.dynamodb.scanner import MAX_SEGMENTS, Segment
from processor.flow.worker_group import Work, WorkerGroup

if TYPE_CHECKING:
    import msgspec

# Of each table at once. Pages are digested under Python's one lock, so more only wait for each other.
THREADS = 4
# Many, so that the last ones end at about the same time.
_SEGMENTS_PER_THREAD = 4
# For a sample: enough that the number drawn matches the share asked for, and that each is a page or less.
_SAMPLE_SEGMENTS = 100
_FEWEST_DRAWN = 10
_ITEMS_PER_SEGMENT = 2_000


@dataclass(slots=True)
class Step:
    """One of its steps; ``expected`` is an estimate of the items, 0 if there is none."""

    name: str
    expected: int = 0
    done: int = 0


class Comparison:
    """One run; ``step`` has its progress.

    :param judge: decides about keys that were read in both tables
    :param share: the part of the items to compare; less than 1 is a sample
    """

    def __init__(
        self,
        source: TableSide,
        destination: TableSide,
        *,
        judge: Judge,
        recheck: Recheck,
        results: Results,
        workers: WorkerGroup,
        share: float = 1.0,
        chance: random.Random,
    ) -> None:
        self._source = source
        self._destination = destination
        self._form = judge.form
        self._judge = judge
        self._recheck = recheck
        self._results = results
        self._workers = workers
        self._share = share
        self._chance = chance
        self._expiry = judge.expiry
        # By one fixed time, so that an item that both tables have is left out of both sums or of neither.
        self._expiry_then = judge.expiry.now()
        self._without_expired = judge.expiry.is_alike and not judge.show_expired
        # What the source has of them is looked up while it is scanned for the sums.
        self._looks_up_expired = self._without_expired and judge.expiry.is_archive
        self.step = Step("begin")

    def run(self) -> None:
        """Compare; ``results`` has what was found, whatever is raised.

        :raises StoppedError: the workers were stopped
        :raises ReplicatorError: a table can't be read
        """
        differing_buckets = None
        if self._share == 1:
            differing_buckets = self._digest()
            self._recheck.finish("source")
            self._results.equal(differing_buckets.equal_items)
        if differing_buckets is None or differing_buckets:
            self._look(self._source, self._destination, differing_buckets)
            self._look(self._destination, self._source, differing_buckets)
        self._results.report.complete = True

    def _digest(self) -> DifferingBuckets:
        sides = (self._source, self._destination)
        buckets, lock = BucketDigests(max(side.items for side in sides)), threading.Lock()

        def add(side: TableSide, segment: Segment) -> None:
            for items in side.pages(segment):
                self._workers.check()
                past = self._expiry_then.past(side.role)
                live = [item for item in items if not past(item)] if past.attribute else items
                expired = list(filter(past, items)) if len(live) < len(items) else []
                digests = list(map(self._form.digest, live))
                more = [] if self._without_expired else list(map(self._form.digest, expired))
                with lock:
                    buckets.add(side.role, digests)
                    buckets.add(side.role, more, counted=False)
                    self.step.done += len(items)
                self._results.scanned(side.role, len(items), len(expired))
                if self._looks_up_expired and side.role == "source" and expired:
                    self._compare(self._source, self._destination, expired)

        total = THREADS * _SEGMENTS_PER_THREAD
        works: Iterator[Work] = (partial(add, side, Segment(n, total)) for n in range(total) for side in sides)
        self.step = Step("digests", sum(side.items for side in sides))
        self._workers.run(works, threads=2 * THREADS, name="verify")
        return buckets.compare()

    def _look(self, side: TableSide, other: TableSide, differing_buckets: DifferingBuckets | None) -> None:
        """Pass on the keys of ``side`` whose items ``other`` lacks, or has with other values."""
        lock = threading.Lock()

        def look(segment: Segment) -> None:
            for items in side.pages(segment):
                self._workers.check()
                if differing_buckets is None:
                    expired = sum(map(self._expiry.past(side.role), items))
                    self._results.scanned(side.role, len(items), expired)
                    self._compare(side, other, items)
                else:
                    self._compare(side, other, [item for item in items if self._is_due(side, item, differing_buckets)])
                with lock:
                    self.step.done += len(items)

        self.step = Step(f"{side.role}'s items", round(side.items * self._share))
        works = (partial(look, segment) for segment in self._segments(side))
        self._workers.run(works, threads=THREADS, name="verify")
        self.step = Step(f"{side.role}'s keys that seem to differ")
        self._recheck.finish(side.role)

    def _is_due(self, side: TableSide, item: msgspec.Raw, differing_buckets: DifferingBuckets) -> bool:
        """Whether an item is to be looked up in the other table."""
        if self._looks_up_expired and side.role == "source" and self._expiry_then.past("source")(item):
            return False  # it was
        return self._form.place(item) in differing_buckets

    def _compare(self, side: TableSide, other: TableSide, items: list[msgspec.Raw]) -> None:
        keys = identified(side, items)
        by_identity = {identity: item for (identity, _), item in zip(keys, items, strict=True)}
        for some in side.chunks(keys):
            found = other.items_of(some)
            if side.role == "destination":  # items that both have were compared by the source's scan
                differing = [
                    (identity, key)
                    for identity, key in some.items()
                    if (theirs := found.get(identity)) in (None, UNSEEN)
                    and self._judge.differs(side.role, key, theirs, by_identity[identity])
                ]
            else:
                differing = [
                    (identity, key)
                    for identity, key in some.items()
                    if self._judge.differs(side.role, key, by_identity[identity], found.get(identity))
                ]
            self._recheck.add(side.role, differing)

    def _segments(self, side: TableSide) -> Iterable[Segment]:
        if self._share == 1:
            total = THREADS * _SEGMENTS_PER_THREAD
            return (Segment(number, total) for number in range(total))
        total = max(_SAMPLE_SEGMENTS, math.ceil(_FEWEST_DRAWN / self._share), side.items // _ITEMS_PER_SEGMENT)
        total = min(total, MAX_SEGMENTS)
        drawn = self._chance.sample(range(total), max(1, round(total * self._share)))
        return (Segment(number, total) for number in drawn)
