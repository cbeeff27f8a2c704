"""How many write calls are under way at once: as many as the destination's round trip leaves time for.

While one call waits for its answer, this process can make the next. Near the destination two or three lanes are busy
all the time, and more would only get into each other's way; across an ocean it takes dozens. So the round trip is
measured, by a call that has this process to itself, and the lanes follow; a destination that throttles gets fewer.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

# What a call of 25 items costs this process, about: ./test.sh bench drain, "write loop alone".
CALL_SECONDS = 0.0004
# Until a round trip is known: enough for one within a region.
FIRST_LANES = 8
# A busy shard's batches have many calls; one of them goes alone every so often.
MEASURE_SECONDS = 10.0

Work = Callable[[], None]


class Lanes:
    """Of one shard; its batches come one after the other. Copy's come from several threads.

    :param most: so many at the most, however far the destination is
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
        self._places = threading.BoundedSemaphore(most)  # a copy's threads have their lanes side by side

    @property
    def width(self) -> int:
        """How many lanes there are now."""
        wanted = FIRST_LANES if self._round_trip is None else 1 + math.ceil(self._round_trip / CALL_SECONDS)
        return min(wanted, self._bound)

    def run(self, works: Sequence[Work]) -> None:
        """Do all works, which raise nothing; the calling thread takes part.

        A work tells of its calls by ``answered`` and ``throttled``.
        """
        left = deque(works)
        if len(left) == 1 or (self._warm and self._clock() >= self._measure_at):
            self._alone = threading.get_ident()
            with self._places:
                left.popleft()()
            self._alone = None

        def lane() -> None:
            while True:
                try:
                    work = left.popleft()
                except IndexError:
                    return
                with self._places:
                    work()

        if left:
            others = [self._pool.submit(lane) for _ in range(min(self.width, len(left)) - 1)]
            lane()
            wait([other for other in others if not other.cancel()])  # what has not begun has nothing left to do
        self._settle()

    def answered(self, seconds: float) -> None:
        """A call was answered, after so long."""
        if (
            self._alone == threading.get_ident() and self._warm
        ):  # the first call of all also looks up credentials, and connects
            self._round_trip = seconds
            self._measure_at = self._clock() + MEASURE_SECONDS
        self._warm = True

    def throttled(self) -> None:
        """The destination takes less than it is given."""
        self._throttled.set()

    def _settle(self) -> None:
        """Halved by a batch with throttling, half as many more by one without."""
        if self._throttled.is_set():
            self._throttled.clear()
            self._bound = max(1, min(self.width, self._bound) // 2)
        else:
            self._bound = min(self._most, self._bound + max(1, self._bound // 2))
