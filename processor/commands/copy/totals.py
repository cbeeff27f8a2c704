"""Counts what is copied so far, for the progress that is shown and for the row of a finished copy."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from processor.commands.copy.segment import Unwritten
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
        self.filtered = 0
        for state in states:
            self.items += state.items
            self.size_bytes += state.size_bytes
            self.expired += state.expired
            self.filtered += state.filtered
        self.items_before = self.items
        self.planned_before = self.planned

    @property
    def passed(self) -> int:
        """The number of items read so far, copied or not."""
        return self.items + self.expired + self.filtered

    @property
    def planned(self) -> int:
        """The number of items as a plan counts them: with those that the settings leave out, which cost no write."""
        return self.items + self.filtered

    def add(self, outcome: Outcome, size_bytes: int, unwritten: Unwritten) -> None:
        """Count items that were written, and those that were not."""
        with self._lock:
            self.items += outcome.records
            self.size_bytes += size_bytes
            self.set_aside += outcome.set_aside
            self.expired += unwritten.expired
            self.filtered += unwritten.filtered
