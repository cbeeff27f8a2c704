"""The destination at the pace that was asked for, and only while the copy is ours."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from processor.commands.copy.write_cost import WRITE_UNIT_BYTES
from processor.errors import StalledError, StoppedError, ThrottledError, UnavailableError
from processor.flow.rate_limiter import Capacity
from processor.flow.retry_limit import RetryLimit
from processor.replication.change import Change, bytes_of
from processor.replication.writer import Table


class StallWatch:
    """For how long something may fail without a success; counts throttles. Shared by all threads of a copy."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.throttles = 0
        self._lock = threading.Lock()
        self._limit = RetryLimit(clock=clock)

    def succeeded(self) -> None:
        """Something worked."""
        self._limit.succeeded()

    def failed(self, error: UnavailableError) -> None:
        """Count a failure.

        :raises StalledError: nothing has worked for too long
        """
        if isinstance(error, ThrottledError):
            with self._lock:
                self.throttles += 1
        if (seconds := self._limit.seconds(error)) is not None:
            raise StalledError(seconds=seconds, reason=str(error)) from error


class PacedTable:
    """Satisfies ``writable_table.Table``: another one, written no faster than ``capacity`` allows."""

    def __init__(self, table: Table, capacity: Capacity, stalls: StallWatch, stop: threading.Event) -> None:
        self.name = table.name
        self._table = table
        self._capacity = capacity
        self._stalls = stalls
        self._stop = stop

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """As the table's, when it is time."""
        with self._turn(changes):
            undone = self._table.write_batch(changes)
        if undone:
            self._stalls.failed(ThrottledError("", code="UnprocessedItems"))
        return undone

    def write_one(self, change: Change) -> bool:
        """As the table's, when it is time."""
        with self._turn([change]):
            return self._table.write_one(change)

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
                self._stalls.failed(exc)
                raise
            self._stalls.succeeded()


def write_units(size_bytes: int) -> int:
    """What writing one item of that size consumes, indexes left out."""
    return max(1, math.ceil(size_bytes / WRITE_UNIT_BYTES))
