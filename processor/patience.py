"""Calls that are made again while they may work later: for a command that somebody waits for, not for a replication."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from processor.errors import CredentialsError, StoppedError, UnavailableError
from processor.retry import Backoff, Outage

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


class Patience:
    """Any number of threads may share it.

    :param stop: set to give up at once
    :param outage: says that calls fail, and when they work again
    """

    def __init__(
        self,
        stop: threading.Event,
        outage: Outage,
        *,
        make_backoff: Callable[[], Backoff] = Backoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stop = stop
        self._outage = outage
        self._make_backoff = make_backoff
        self._clock = clock

    def __call__(self, call: Callable[[], T]) -> T:
        """Make ``call`` until it works, for a minute.

        :raises StoppedError: ``stop`` was set before it did
        :raises CredentialsError: at once; a person has to do something
        :raises UnavailableError: it did not work for a minute
        """
        backoff, deadline = self._make_backoff(), self._clock() + PATIENCE_SECONDS
        while not self.stop.is_set():
            try:
                result = call()
            except CredentialsError:
                raise
            except UnavailableError as exc:
                if self._clock() >= deadline:
                    raise
                self._outage.failed(exc.code, str(exc))
                self.stop.wait(backoff.next_seconds())
            else:
                self._outage.succeeded()
                return result
        raise StoppedError

    def pause(self, seconds: float) -> None:
        """Wait.

        :raises StoppedError: ``stop`` was set meanwhile
        """
        if self.stop.wait(seconds):
            raise StoppedError
