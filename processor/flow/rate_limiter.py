"""Limits the capacity units used a second, and estimates a call's units if its answer has none.

The estimates follow DynamoDB's developer guide, "Read and write capacity": a write takes a unit for each 1 KB, a read
one for each 4 KB, and half of that if it is eventually consistent. Sizes here are those of DynamoDB JSON, which is
longer than what DynamoDB counts, and indexes are left out.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

# DynamoDB developer guide, capacity of reads and writes.
WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
# More than 25 items of 400 KB take in a table with 25 indexes.
MOST_UNITS = 1_000_000


class EstimatedUnits(float):
    """The units of a call by our estimate, because its answer had none."""


def _told(units: float | None) -> float | None:
    """The units in an answer, if they are possible: wrong ones could delay the next call for years, or not at all."""
    return units if units is not None and 0 < units <= MOST_UNITS else None


def written(units: float | None, sizes: Iterable[int]) -> float:
    """The units of writes of items of these sizes, in bytes: those in the answer, or an estimate."""
    return _told(units) or EstimatedUnits(sum(max(1, math.ceil(size / WRITE_UNIT_BYTES)) for size in sizes))


def read(units: float | None, sizes: Iterable[int], *, missing: int = 0) -> float:
    """The units of consistent reads of items of these sizes, and of ``missing`` ones, which take a unit each."""
    return _told(units) or EstimatedUnits(missing + sum(max(1, math.ceil(size / READ_UNIT_BYTES)) for size in sizes))


def scanned(units: float | None, size: int) -> float:
    """The units of an eventually consistent page of this size."""
    return _told(units) or EstimatedUnits(max(1, math.ceil(size / READ_UNIT_BYTES)) / 2)


class Capacity:
    """A token bucket of read or write units, shared by any number of threads.

    A call may begin when the bucket has refilled what other calls have consumed, as DynamoDB says, and what the calls
    in progress will consume by estimate. So over a longer time the limit holds, however large single calls are.

    :param units_per_second: of all who share the limit; without it, nothing waits
    :param stop: ends all waiting
    :param estimated: called once, if a limit has to rely on estimates
    """

    def __init__(
        self,
        units_per_second: float | None = None,
        *,
        stop: threading.Event | None = None,
        estimated: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.units_per_second = units_per_second
        self._limit = units_per_second
        self.consumed = 0.0
        self._stop = stop or threading.Event()
        self._estimated: Callable[[], None] | None = estimated
        self._clock = clock
        self._lock = threading.Lock()
        self._available = 0.0
        self._filled = clock()

    def share(self, processes: int) -> None:
        """Keep to an even share of the limit: others keep to theirs."""
        if self._limit is not None:
            self.units_per_second = self._limit / max(1, processes)

    @contextmanager
    def reserve(self, estimate: float) -> Iterator[None]:
        """Wait for a turn; while the call in the ``with`` block runs, ``estimate`` units count as taken."""
        self._take(estimate)
        try:
            yield
        finally:
            with self._lock:
                self._available += estimate

    def consume(self, units: float) -> None:
        """Count the units that a call has consumed: those of its answer, or ``EstimatedUnits``."""
        say = None
        with self._lock:
            self.consumed += units
            self._available -= units
            if isinstance(units, EstimatedUnits) and self.units_per_second is not None:
                say, self._estimated = self._estimated, None
        if say is not None:
            say()

    def _take(self, estimate: float) -> None:
        while True:
            with self._lock:
                wait = self._wait_seconds()
                if wait <= 0:
                    self._available -= estimate
                    return
            if self._stop.wait(wait):
                return

    def _wait_seconds(self) -> float:
        if self.units_per_second is None:
            return 0.0
        now = self._clock()
        # Unused units are kept for one second at most: DynamoDB's own limits are by the second.
        refilled = self._available + (now - self._filled) * self.units_per_second
        self._available = min(refilled, self.units_per_second)
        self._filled = now
        return -self._available / self.units_per_second
