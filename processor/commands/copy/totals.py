"""What is copied so far. For people, and for the row of a copy that is done."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from processor.replication.apply import Outcome
from processor.state.copy_rows import SegmentState


class Totals:
    """What is copied so far, runs before this one included; counted by any number of threads."""

    def __init__(self, states: Iterable[SegmentState]) -> None:
        self._lock = threading.Lock()
        self.items = 0
        self.size_bytes = 0
        self.set_aside = 0
        self.expired = 0
        for state in states:
            self.items += state.items
            self.size_bytes += state.size_bytes
            self.expired += state.expired
        self.items_before = self.items

    @property
    def passed(self) -> int:
        """Items that were come to, copied or not."""
        return self.items + self.expired

    def add(self, outcome: Outcome, size_bytes: int, expired: int) -> None:
        """Count items that were written, and those that were not, for they are past their TTL."""
        with self._lock:
            self.items += outcome.records
            self.size_bytes += size_bytes
            self.set_aside += outcome.set_aside
            self.expired += expired
