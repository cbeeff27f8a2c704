"""Waits for something that AWS does in its own time: polls it, and reports progress now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from processor.errors import StoppedError, UnavailableError
from processor.flow import retry_policy
from processor.flow.retry_limit import RetryLimit
from processor.reporting.progress import LINE_SECONDS

T = TypeVar("T")

Say = Callable[[str], None]


class Waiter:
    """For one thread.

    :param say: called with a line every 10 s
    :param stop: ends each wait when it is set
    :param every_seconds: between two polls
    """

    def __init__(
        self,
        say: Say,
        *,
        stop: threading.Event | None = None,
        every_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._stop = stop or threading.Event()
        self._every = every_seconds
        self._clock = clock

    def until(self, look: Callable[[], T | None], what: str) -> T:
        """What ``look`` returns, as soon as that is not None.

        :param what: what is waited for, as in "table orders-copy to be active"
        :raises StoppedError: ``stop`` was set
        :raises UnavailableError: ``look`` has failed for longer than a command's policy allows
        """
        begun = said = self._clock()
        limit = RetryLimit(retry_policy.COMMAND, clock=self._clock)
        while True:
            reason = ""
            try:
                found = look()
            except UnavailableError as exc:
                if limit.exceeded(exc) is not None:
                    raise
                reason = f" ({exc})"
            else:
                if found is not None:
                    return found
                limit.succeeded()
            if self._clock() - said >= LINE_SECONDS:
                said = self._clock()
                self._say(f"Waiting for {what}: {said - begun:.0f} s{reason}")
            if self._stop.wait(self._every):
                raise StoppedError
