"""Calls that are made again while they may work later: for a command that somebody waits for, not for a replication."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from processor.errors import ReplicatorError, StalledError, StoppedError, UnavailableError, let_go
from processor.flow.retry import Backoff, Outage
from processor.flow.retry_limit import RetryLimit, kind_of

T = TypeVar("T")


class Patience:
    """That of one table, or of whatever else fails as a whole; any number of threads may share it.

    Whatever may pass is waited for, and said; ``retry_limit.py`` has what ends that.

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
        self._limit = RetryLimit(clock=clock)

    def __call__(self, call: Callable[[], T]) -> T:
        """Make ``call`` until it works.

        :raises StoppedError: ``stop`` was set before it did
        :raises UnavailableError: AWS denies it, or there is no such table, and nothing has worked before
        :raises StalledError: a person must put something right, and has not; or nothing was answered for a day
        """
        return self._tried(call, at_once=not self._limit.has_worked)

    def ask(self, call: Callable[[], T]) -> T:
        """The same for what can be done without: a denial is an answer.

        :raises UnavailableError: AWS denies it, or there is no such table
        """
        return self._tried(call, at_once=True)

    def _tried(self, call: Callable[[], T], *, at_once: bool) -> T:
        backoff = self._make_backoff()
        while not self.stop.is_set():
            try:
                result = call()
            except UnavailableError as exc:
                if at_once and kind_of(exc) == "denied":
                    raise
                if (seconds := self._limit.seconds(exc)) is not None:
                    raise StalledError(seconds=seconds, reason=str(exc)) from exc
                self._outage.failed(exc.code, str(exc))
                let_go(exc)
                self.stop.wait(backoff.next_seconds())
            except ReplicatorError:
                self._limit.succeeded()
                raise
            else:
                self._limit.succeeded()
                self._outage.succeeded()
                return result
        raise StoppedError

    def pause(self, seconds: float) -> None:
        """Wait.

        :raises StoppedError: ``stop`` was set meanwhile
        """
        if self.stop.wait(seconds):
            raise StoppedError
