"""Writes the destination no faster than ``copyWriteUnits`` allows, and only while the copy is ours."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from processor.errors import StoppedError, ThrottledError, UnavailableError
from processor.flow.rate_limiter import WRITE_UNIT_BYTES, Capacity
from processor.flow.retry_limit import RetryLimit
from processor.replication.change import Change, bytes_of
from processor.replication.writer import Table

if TYPE_CHECKING:
    import msgspec


class ThrottledTable:
    """Implements ``replication.writer.Table`` by another table, which it writes no faster than ``capacity`` allows."""

    def __init__(self, table: Table, capacity: Capacity, limit: RetryLimit, stop: threading.Event) -> None:
        self.name = table.name
        self._table = table
        self._capacity = capacity
        self._limit = limit
        self._stop = stop

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """As the table's, when it is time."""
        with self._turn(changes):
            undone = self._table.write_batch(changes)
        if undone:
            self._limit.failed(ThrottledError("", code="UnprocessedItems"))
        return undone

    def write_one(self, change: Change) -> bool:
        """As the table's, when it is time."""
        with self._turn([change]):
            return self._table.write_one(change)

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """As the table's, when it is time."""
        with self._turn([change]):
            return self._table.exchange(change, there)

    def renew_credentials(self) -> None:
        """As the table's."""
        self._table.renew_credentials()

    @contextmanager
    def _turn(self, changes: Sequence[Change]) -> Iterator[None]:
        with self._capacity.reserve(sum(write_units(len(bytes_of(change))) for change in changes)):
            if self._stop.is_set():
                raise StoppedError
            try:
                yield
            except UnavailableError as exc:
                self._limit.failed(exc)
                raise
            self._limit.succeeded()


def write_units(size_bytes: int) -> int:
    """The write units that one item of that size consumes in the table, without its indexes."""
    return max(1, math.ceil(size_bytes / WRITE_UNIT_BYTES))
