"""Removes the markers from a table, page by page.

Nothing is kept of how far it is: an item without a marker is read and not written, so the same command goes on where
an earlier one was interrupted, at the price of the scan.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from processor.commands.unmark.marked_table import MarkedTable
from processor.dynamodb.keys import identity_of, key_reader
from processor.dynamodb.scanner import Page, ScanFilter, ScannableTable, Segment, believed_page
from processor.flow.rate_limiter import WRITE_UNIT_BYTES, Capacity
from processor.flow.retry import Retry
from processor.flow.worker_group import WorkerGroup
from processor.replication.change import Change
from processor.replication.two_way.marker import Markers

# A write takes a few milliseconds, most of them waiting.
THREADS = 8
_SEGMENTS = 4 * THREADS
_EVENT_NAME = "UNMARK"


class UnmarkReport(msgspec.Struct, kw_only=True, rename="camel"):
    """Numbers of items: ``unmarked`` ones had a marker when they were read, and have none now.

    ``changed`` ones were written by others in between, so that they have another marker, or deleted; run it once more.
    ``foreign`` ones have an attribute of the marker's name that is no marker; it stays.
    """

    complete: bool = False
    dry_run: bool = False
    read: int = 0
    unmarked: int = 0
    changed: int = 0
    foreign: int = 0


def asks_for(attribute: str) -> ScanFilter:
    """What Scan leaves out: the items that don't have the attribute. They are read, and paid, all the same."""
    return ScanFilter(expression="attribute_exists(#m)", names={"#m": attribute}, values={})


class Unmark:
    """One run.

    :param scannable: the destination, with ``asks_for``
    :param table: None to say only what would be done
    :param writing: limits the rate
    :param progress: shows a line
    """

    def __init__(
        self,
        scannable: ScannableTable,
        table: MarkedTable | None,
        *,
        markers: Markers,
        key_names: Iterable[str],
        writing: Capacity,
        retry: Retry,
        stop: threading.Event,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.report = UnmarkReport(dry_run=table is None)
        self._scannable = scannable
        self._table = table
        self._markers = markers
        self._key_of = key_reader(list(key_names))
        self._writing = writing
        self._retry = retry
        self._lock = threading.Lock()
        self._progress = progress
        self._workers = WorkerGroup(stop, tick=self._say)

    def run(self) -> None:
        """Go through the whole table; ``report`` has the result, whatever is raised.

        :raises StoppedError: it was stopped before it was through
        :raises ReplicatorError: the table can't be used
        """
        segments = [Segment(number, _SEGMENTS) for number in range(_SEGMENTS)]
        works = [lambda segment=segment: self._segment(segment) for segment in segments]
        self._workers.run(works, threads=THREADS, name="unmark")
        self.report.complete = True

    def _segment(self, segment: Segment) -> None:
        start: msgspec.Raw | None = None
        while True:
            page = believed_page(partial(self._read, segment), start, self._key_of)
            with self._lock:
                self.report.read += page.scanned
            for item in page.items:
                self._workers.check()
                self._item(item)
            if (start := page.last_key) is None:
                return

    def _read(self, segment: Segment, start: msgspec.Raw | None) -> Page:
        return self._retry(lambda: self._scannable.page(segment, start))

    def _item(self, item: msgspec.Raw) -> None:
        key = self._key_of(item)
        identity = identity_of(key)
        reading = self._markers.read(item, identity)
        if reading is None or reading.marker is None or reading.stored is None:
            self._count(foreign=1)
        elif self._table is None or self._unmark(self._table, key, identity, reading.stored, len(bytes(item))):
            self._count(unmarked=1)
        else:
            self._count(changed=1)

    def _unmark(self, table: MarkedTable, key: msgspec.Raw, identity: bytes, stored: msgspec.Raw, size: int) -> bool:
        change = Change(
            kind="nothing",
            identity=identity,
            key=key,
            image=None,
            sequence_number="0",
            created_ms=0,
            event_name=_EVENT_NAME,
        )

        def once() -> bool:
            with self._writing.reserve(max(1.0, size / WRITE_UNIT_BYTES)):
                self._workers.check()
                return table.unmark(change, self._markers.name, stored)

        return self._retry(once)

    def _count(self, *, unmarked: int = 0, changed: int = 0, foreign: int = 0) -> None:
        with self._lock:
            self.report.unmarked += unmarked
            self.report.changed += changed
            self.report.foreign += foreign

    def _say(self) -> None:
        self._progress(f"{self.report.read:,} items read, {self.report.unmarked:,} markers removed")
