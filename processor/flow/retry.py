"""How long to wait before the next try, and how often to say so."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from processor.reporting.logs import Log

# A message a minute matters, one a try does not: intervals double from the first to the last, in seconds.
FIRST_INTERVAL_SECONDS = 5.0
LAST_INTERVAL_SECONDS = 300.0
# Shorter outages are throttling at work, whose end is no news.
OUTAGE_SECONDS = 5.0
QUIET_SECONDS = 60.0
# And longer ones than this are worth a word to whoever doesn't read the log.
LASTING_SECONDS = 30.0


class Backoff:
    """Exponential, with full jitter: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/.

    :param least_share: of the bound that grows, how much is waited at least; more than 0 is less jitter
    """

    def __init__(
        self,
        *,
        first_seconds: float = 0.05,
        most_seconds: float = 5.0,
        least_share: float = 0.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._least_share = least_share
        self._first = first_seconds
        self._most = most_seconds
        self._uniform = uniform
        self._tries = 0

    def next_seconds(self) -> float:
        """The wait before the next try."""
        bound = min(self._most, self._first * 2**self._tries)
        self._tries = min(self._tries + 1, 32)
        return self._uniform(bound * self._least_share, bound)

    def reset(self) -> None:
        """After a success."""
        self._tries = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often something is said.

    :param first_seconds: between the first two messages; the interval doubles up to ``last_seconds``
    :param quiet_seconds: a failure that comes so long after the last is a new outage's
    """

    first_seconds: float = FIRST_INTERVAL_SECONDS
    last_seconds: float = LAST_INTERVAL_SECONDS
    quiet_seconds: float = QUIET_SECONDS


class Outage:
    """Says that something doesn't work: at once, then at a decreasing rate, and when it works again.

    Where it works now and then, that rate goes on; but an outage of some seconds is said, however soon after another.
    Shared by all threads that try the same thing.

    :param lasting: is told the reason of one that lasts, now and then, and None when it is over
    """

    def __init__(
        self,
        log: Log,
        event: str,
        *,
        note: str,
        rhythm: Rhythm = Rhythm(),  # it is frozen
        lasting: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._event = event
        self._note = note
        self._rhythm = rhythm
        self._lasting = lasting
        self._next_word = float("-inf")
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._is_said = False
        self._last_failure = float("-inf")
        self._next_report = float("-inf")
        self._interval = rhythm.first_seconds
        self._failures = 0

    def failed(self, error: str, reason: str) -> None:
        """Count one failure, and report it if it is time.

        :param error: the kind, as AWS names it
        :param reason: the whole message
        """
        with self._lock:
            now = self._clock()
            if now - self._last_failure > self._rhythm.quiet_seconds:
                self._interval = self._rhythm.first_seconds
                self._next_report = now
            self._last_failure = now
            self._since = now if self._since is None else self._since
            self._failures += 1
            if now - self._since >= LASTING_SECONDS and now >= self._next_word:
                self._next_word = now + LASTING_SECONDS
                self._lasting(reason)
            is_news = not self._is_said and now - self._since >= self._rhythm.first_seconds
            if now < self._next_report and not is_news:
                return
            self._is_said = True
            self._next_report = now + self._interval
            self._interval = min(self._interval * 2, self._rhythm.last_seconds)
            failures, self._failures = self._failures, 0
        self._log.warning(self._event, error=error, failures=failures, reason=reason, note=self._note)

    def succeeded(self) -> None:
        """Count one success; reports the end of an outage that lasted and was said."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
            was_said, self._is_said = self._is_said, False
            lasted = 0.0 if since is None else self._clock() - since
            if self._next_word > float("-inf"):
                self._next_word = float("-inf")
                self._lasting(None)
        if was_said and lasted >= OUTAGE_SECONDS:
            self._log.notice(f"{self._event}_over", seconds=round(lasted, 1))
