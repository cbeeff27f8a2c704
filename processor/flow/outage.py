"""Reports outages: at once, then ever more rarely, and when they are over. Every outage is reported by this class."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from processor.flow.retry_policy import RECORDS, Rhythm
from processor.reporting.logs import Log

# The end of a shorter outage is not reported: that is everyday throttling.
NEWS_SECONDS = 5.0
# Outages longer than this are also reported to whoever doesn't read the log.
LASTING_SECONDS = 30.0


class Outage:
    """Reports that something doesn't work: at once, then at a decreasing rate, and when it works again.

    If it works now and then, the decreasing rate continues; but an outage of some seconds is always reported, however
    soon it follows another. All threads that try the same thing share one.

    :param lasting: called with the reason of an outage that lasts, repeatedly, and for how many seconds it has lasted;
        with None when it is over
    """

    def __init__(
        self,
        log: Log,
        event: str,
        *,
        note: str,
        rhythm: Rhythm = RECORDS.rhythm,
        lasting: Callable[[str | None, float], None] = lambda _reason, _seconds: None,
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
                self._lasting(reason, now - self._since)
            is_news = not self._is_said and now - self._since >= self._rhythm.first_seconds
            if now < self._next_report and not is_news:
                return
            self._is_said = True
            self._next_report = now + self._interval
            self._interval = min(self._interval * 2, self._rhythm.last_seconds)
            failures, self._failures = self._failures, 0
        self._log.warning(self._event, error=error, failures=failures, reason=reason, note=self._note)

    def succeeded(self) -> None:
        """Count one success; reports the end of an outage that lasted and was reported."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
            was_said, self._is_said = self._is_said, False
            lasted = 0.0 if since is None else self._clock() - since
            if self._next_word > float("-inf"):
                self._next_word = float("-inf")
                self._lasting(None, lasted)
        if was_said and lasted >= NEWS_SECONDS:
            self._log.notice(f"{self._event}_over", seconds=round(lasted, 1))
