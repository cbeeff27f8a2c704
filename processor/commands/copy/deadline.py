"""Ends a copy that has taken too long: the stream is about to drop changes that were made since the copy began.

A copy before a replication must be finished by then. A copy beside a replication may take any time once the replication
has begun; whether it has is looked up only when the time is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from processor.commands.copy.estimate import LAST_SECONDS
from processor.dynamodb.stream_retention import RETENTION_SECONDS
from processor.errors import CopyTooLateError, UnavailableError
from processor.state.copy_rows import CopyState

# Where the checkpoint table can't be read.
LOOK_SECONDS = 60.0


class CopyDeadline:
    """The deadline of one run of ``copy``.

    :param begun: returns whether a replication has begun; it may raise UnavailableError
    :param now: the clock, in seconds since the epoch
    """

    def __init__(self, copy: CopyState, begun: Callable[[], bool], *, now: Callable[[], float] = time.time) -> None:
        self._copy = copy
        self._begun = begun
        self._now = now
        self._next_look = 0.0
        self._last_seconds = LAST_SECONDS
        if copy.concurrent and self._age > LAST_SECONDS:  # else no replication could be started any more beside it
            self._last_seconds = RETENTION_SECONDS

    @property
    def _age(self) -> float:
        return self._now() - self._copy.started_ms / 1000

    def check(self) -> None:
        """Return if the copy may go on.

        :raises CopyTooLateError: its time is over
        """
        now = self._now()
        if self._age <= self._last_seconds or now < self._next_look:
            return
        if self._copy.concurrent:
            self._next_look = now + LOOK_SECONDS
            try:
                if self._begun():
                    self._last_seconds = float("inf")
                    return
            except UnavailableError:  # the next look may tell
                return
        raise CopyTooLateError(hours=self._age / 3600, concurrent=self._copy.concurrent)

    def replicating(self) -> bool:
        """Whether it is known that a replication goes on beside the copy."""
        try:
            return self._copy.concurrent and self._begun()
        except UnavailableError:
            return False
