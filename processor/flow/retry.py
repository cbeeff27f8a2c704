"""The loop that repeats a call while it may work later.

::

    call ─▶ an answer, or an error that a retry can't change: returned, or raised
     ▲ └──▶ it may work later ─▶ reported ─▶ a pause ─▶ again, until the policy's limits end it
     └───────────────────────────────────────────────────┘

Four other loops follow the same policies: a batch's, which writes the rest of the batch again
(``replication/apply.py``); a start's, which checks many things at once (``commands/replicate/command.py``); that of
rows which may be out of date before they are stored (``state/hold_rows.py``); and the wait for something that AWS does
in its own time (``waiter.py``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from processor.errors import ReplicatorError, StoppedError, UnavailableError, let_go
from processor.flow.outage import Outage
from processor.flow.retry_limit import RetryLimit, kind_of
from processor.flow.retry_policy import Backoff, RetryPolicy

T = TypeVar("T")


class Retry:
    """Retries the calls of one table, or of anything else that fails as a whole; any number of threads may share it.

    :param stop: set to give up at once
    :param outage: reports that calls fail, and when they work again
    :param limit: given if others count the same failures; otherwise it has one of its own
    """

    def __init__(
        self,
        policy: RetryPolicy,
        stop: threading.Event,
        outage: Outage,
        *,
        limit: RetryLimit | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stop = stop
        self._policy = policy
        self._outage = outage
        self._limit = limit or RetryLimit(policy, clock=clock)

    def __call__(self, call: Callable[[], T]) -> T:
        """Repeat ``call`` until it works.

        :raises StoppedError: ``stop`` was set before it worked
        :raises UnavailableError: AWS denies it, or there is no such table, and the policy ends at that
        :raises StalledError: the policy's time is over
        """
        return self._tried(call, is_needed=True)

    def ask(self, call: Callable[[], T]) -> T:
        """The same for a call that can be done without: a denial is raised at once.

        :raises UnavailableError: AWS denies it, or there is no such table
        """
        return self._tried(call, is_needed=False)

    def _tried(self, call: Callable[[], T], *, is_needed: bool) -> T:
        backoff = Backoff(self._policy)
        while not self.stop.is_set():
            try:
                result = call()
            except UnavailableError as exc:
                if kind_of(exc) == "denied" and not (is_needed and self._waits_for_denials()):
                    raise
                self._limit.failed(exc)
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

    def _waits_for_denials(self) -> bool:
        # Asked at the denial: another thread's call may have worked since this one began.
        return self._limit.has_worked or not self._policy.ends_at_first_denial

    def pause(self, seconds: float) -> None:
        """Wait.

        :raises StoppedError: ``stop`` was set meanwhile
        """
        if self.stop.wait(seconds):
            raise StoppedError
