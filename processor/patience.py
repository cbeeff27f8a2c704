"""Calls that are made again while they may work later: for a command that somebody waits for, not for a replication."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from processor.errors import CredentialsError, ReplicatorError, StoppedError, UnavailableError
from processor.retry import Backoff, Outage, is_waited_for

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


class Patience:
    """That of one table, or of whatever else fails as a whole; any number of threads may share it.

    It ends when nothing was answered for a minute. Throttles are answers, and may last as long as they like; so may the
    rotation of credentials, for which others are looked up at each call.

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
        self._lock = threading.Lock()
        self._failing_since: float | None = None

    def __call__(self, call: Callable[[], T]) -> T:
        """Make ``call`` until it works, or for a minute in which no other thread's did.

        :raises StoppedError: ``stop`` was set before it did
        :raises CredentialsError: at once: AWS knows who calls, and denies it
        :raises UnavailableError: nothing was answered for a minute
        """
        backoff = self._make_backoff()
        while not self.stop.is_set():
            try:
                result = call()
            except UnavailableError as exc:
                if isinstance(exc, CredentialsError) and not is_waited_for(exc):
                    raise
                if self._failed(exc) >= PATIENCE_SECONDS:
                    raise
                self._outage.failed(exc.code, str(exc))
                self.stop.wait(backoff.next_seconds())
            except ReplicatorError:
                self._answered()
                raise
            else:
                self._answered()
                self._outage.succeeded()
                return result
        raise StoppedError

    def _failed(self, error: UnavailableError) -> float:
        """For how many seconds there was no answer."""
        if is_waited_for(error):
            self._answered()
            return 0.0
        with self._lock:
            now = self._clock()
            self._failing_since = now if self._failing_since is None else self._failing_since
            return now - self._failing_since

    def _answered(self) -> None:
        with self._lock:
            self._failing_since = None

    def pause(self, seconds: float) -> None:
        """Wait.

        :raises StoppedError: ``stop`` was set meanwhile
        """
        if self.stop.wait(seconds):
            raise StoppedError
