"""How many write calls are under way at once: as many as the destination's round trip leaves time for.

While one call waits for its answer, this process can prepare and send the next. Near the destination two or three calls
at once keep the process busy, and more would only compete for its CPU; across an ocean it takes dozens. So the round
trip is measured, by a call that is made while no other is, and the limit follows from it. Throttling halves the limit.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

# The CPU that a call of 25 items takes in this process, about: ./test.sh bench drain, "write loop alone".
CALL_SECONDS = 0.0004
# The limit until a round trip is known: enough for a destination within the region.
FIRST_LIMIT = 8
# A busy shard's batches have many calls. At this interval one of them is made alone, to measure the round trip.
MEASURE_SECONDS = 10.0

Work = Callable[[], None]
T = TypeVar("T")


class ConcurrencyLimit:
    """Runs calls side by side, and adapts how many: a shard has one, and a copy has one that its threads share.

    :param most: the largest number of calls at once, however far the destination is
    """

    def __init__(self, most: int, *, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix=name)
        self._round_trip: float | None = None
        self._measure_at = float("-inf")
        self._alone: int | None = None
        self._warm = False
        self._bound = most
        self._throttled = threading.Event()
        self._slots = threading.BoundedSemaphore(most)  # for the threads of a copy, which call run() at the same time

    @property
    def current(self) -> int:
        """How many calls may be under way at once now."""
        wanted = FIRST_LIMIT if self._round_trip is None else 1 + math.ceil(self._round_trip / CALL_SECONDS)
        return min(wanted, self._bound)

    def run(self, works: Sequence[Work]) -> None:
        """Do all works, which raise nothing; the calling thread takes part.

        A work reports its calls by ``answered`` and ``throttled``.
        """
        left = deque(works)
        if len(left) == 1 or (self._warm and self._clock() >= self._measure_at):
            self._run_alone(left.popleft())

        def one_by_one() -> None:
            while True:
                try:
                    work = left.popleft()
                except IndexError:
                    return
                with self._slots:
                    work()

        if left:
            others = [self._pool.submit(one_by_one) for _ in range(min(self.current, len(left)) - 1)]
            one_by_one()
            wait([other for other in others if not other.cancel()])  # what has not begun has nothing left to do
        self._settle()

    def run_one(self, work: Callable[[], T]) -> T:
        """Do one work in this thread, without what several need; returns and raises what the work does.

        Most pages of a shard that is written now and then have one change.
        """
        result = self._run_alone(work)
        self._settle()
        return result

    def _run_alone(self, work: Callable[[], T]) -> T:
        self._alone = threading.get_ident()
        try:
            with self._slots:
                return work()
        finally:
            self._alone = None

    def answered(self, seconds: float) -> None:
        """Report that a call was answered after this time."""
        if (
            self._alone == threading.get_ident() and self._warm
        ):  # the first call of all also looks up credentials, and connects
            self._round_trip = seconds
            self._measure_at = self._clock() + MEASURE_SECONDS
        self._warm = True

    def throttled(self) -> None:
        """Report that the destination has throttled a call."""
        self._throttled.set()

    def _settle(self) -> None:
        """Halve the bound after a batch with throttling; raise it by half after one without."""
        if self._throttled.is_set():
            self._throttled.clear()
            self._bound = max(1, min(self.current, self._bound) // 2)
        else:
            self._bound = min(self._most, self._bound + max(1, self._bound // 2))
