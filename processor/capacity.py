"""How many capacity units a second may be used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Capacity:
    """Read or write units, shared by any number of threads.

    A call is let through when what the others have consumed, as DynamoDB says, and what those in flight may consume, by
    estimate, is paid off. So over any longer time it is the limit's units, however large single calls are.

    :param units_per_second: without it, nothing waits
    :param stop: ends all waiting
    """

    def __init__(
        self,
        units_per_second: float | None = None,
        *,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.units_per_second = units_per_second
        self.consumed = 0.0
        self._stop = stop or threading.Event()
        self._clock = clock
        self._lock = threading.Lock()
        self._available = 0.0
        self._filled = clock()

    @contextmanager
    def reserve(self, estimate: float) -> Iterator[None]:
        """Wait for a turn; until the call within is through, ``estimate`` units count as taken."""
        self._take(estimate)
        try:
            yield
        finally:
            with self._lock:
                self._available += estimate

    def consume(self, units: float) -> None:
        """Count what a call has consumed, by its answer."""
        with self._lock:
            self.consumed += units
            self._available -= units

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
        # A second's worth at most is kept: DynamoDB's own limits are by the second.
        refilled = self._available + (now - self._filled) * self.units_per_second
        self._available = min(refilled, self.units_per_second)
        self._filled = now
        return -self._available / self.units_per_second
