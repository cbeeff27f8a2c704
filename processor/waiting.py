"""Waiting for something that AWS does in its own time: looked at again and again, and said now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from processor.errors import StoppedError, UnavailableError
from processor.progress import LINE_SECONDS

T = TypeVar("T")

Say = Callable[[str], None]
# An outage of so long ends a command that somebody waits for; what AWS does goes on without it.
PATIENCE_SECONDS = 300.0


class Waiting:
    """For one thread.

    :param say: is given a line every 10 s
    :param stop: ends each wait when it is set
    :param every_seconds: between two looks
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

        :param what: in words, as "table orders-copy to be active"
        :raises StoppedError: ``stop`` was set
        :raises UnavailableError: ``look`` has failed with it for five minutes
        """
        begun = answered = said = self._clock()
        while True:
            try:
                found = look()
            except UnavailableError:
                if self._clock() - answered > PATIENCE_SECONDS:
                    raise
            else:
                if found is not None:
                    return found
                answered = self._clock()
            if self._clock() - said >= LINE_SECONDS:
                said = self._clock()
                self._say(f"Waiting for {what}: {said - begun:.0f} s")
            if self._stop.wait(self._every):
                raise StoppedError
