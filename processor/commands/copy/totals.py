"""Counts what is copied, in one process and in all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import msgspec

from processor.commands.copy.context import Unwritten
from processor.replication.apply import Outcome
from processor.state.copy_rows import SegmentState


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied, and what it took."""

    items: int = 0
    size_bytes: int = 0
    expired: int = 0
    filtered: int = 0
    set_aside: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    throttles: int = 0

    @classmethod
    def of(cls, states: Iterable[SegmentState]) -> Counts:
        """What the rows of segments say of all runs; what it took, they don't say."""
        states = list(states)
        return cls(
            items=sum(state.items for state in states),
            size_bytes=sum(state.size_bytes for state in states),
            expired=sum(state.expired for state in states),
            filtered=sum(state.filtered for state in states),
        )

    @property
    def passed(self) -> int:
        """The number of items read, copied or not."""
        return self.items + self.expired + self.filtered

    @property
    def planned(self) -> int:
        """The number of items as a plan counts them: with those that the settings leave out, which cost no write."""
        return self.items + self.filtered

    @property
    def size_words(self) -> str:
        """How much it is in words, before those of what it took."""
        return f"{self.size_bytes / 1e6:,.0f} MB  "

    @property
    def words(self) -> str:
        """What it took in words, for the line of progress."""
        return f"{self.write_units:,.0f} write units  {self.read_units:,.0f} read units  {self.throttles} throttles"

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})

    def __sub__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) - getattr(other, name) for name in self.__struct_fields__})


class Totals:
    """What one process has copied so far; counted by any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts = Counts()

    def add(self, outcome: Outcome, size_bytes: int, unwritten: Unwritten) -> None:
        """Count items that were written, and those that were not."""
        more = Counts(
            items=outcome.records,
            size_bytes=size_bytes,
            expired=unwritten.expired,
            filtered=unwritten.filtered,
            set_aside=outcome.set_aside,
        )
        with self._lock:
            self.counts += more
