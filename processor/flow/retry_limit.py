"""Counts failures and decides when they have gone on for too long: the time limits of a policy.

Failures that pass by themselves are waited for: throttling, an outage, credentials that are being rotated. A failure
that only a person can put right is reported after a while, and ends a command after a longer while. The work that was
done stays done, so the same command resumes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from processor.errors import CredentialsError, NotFoundError, StalledError, ThrottledError, UnavailableError
from processor.flow.retry_policy import RetryPolicy
from processor.reporting.logs import Log

Kind = Literal["throttled", "credentials", "denied", "outage"]
_REMEDY: dict[Kind, str] = {
    "credentials": "It goes on by itself once they are renewed: log in again, or see what should renew them.",
    "denied": "Allow what AWS names, or restore the table: it then goes on by itself. After a quarter of an hour it "
    "ends; the same command goes on where it was.",
}


def kind_of(error: UnavailableError) -> Kind:
    """Which kind of failure it is, for the limits."""
    if isinstance(error, ThrottledError):
        return "throttled"
    if isinstance(error, CredentialsError):
        return "denied" if error.is_denial else "credentials"
    return "denied" if isinstance(error, NotFoundError) else "outage"


class RetryLimit:
    """The limit of one table, or of anything else that fails as a whole; any number of threads may share it.

    ``throttles`` counts how often something was throttled.

    :param clock: seconds
    """

    def __init__(self, policy: RetryPolicy, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.has_worked = False
        self.throttles = 0
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[Kind, float] = {}
        self._said = False

    def succeeded(self) -> None:
        """Count a success: earlier failures are over."""
        if not self.has_worked or self._since:
            with self._lock:
                self.has_worked = True
                self._since.clear()
                self._said = False

    def failed(self, error: UnavailableError) -> None:
        """Count a failure.

        :raises StalledError: for too long, there were only failures of this kind
        """
        if (seconds := self.exceeded(error)) is not None:
            raise StalledError(seconds=seconds, reason=str(error)) from error

    def exceeded(self, error: UnavailableError) -> float | None:
        """Count a failure.

        :returns: for how long there were only failures of this kind, if that is too long; otherwise None
        """
        kind = kind_of(error)
        if kind == "throttled":
            self.succeeded()
            with self._lock:
                self.throttles += 1
            return None
        with self._lock:
            now = self._clock()
            lasted = now - self._since.setdefault(kind, now)
            to_be_said = kind in _REMEDY and lasted >= self._policy.attention_seconds and not self._said
            self._said = self._said or to_be_said
        if to_be_said:
            Log().error(
                "attention_needed", error=error.code, seconds=round(lasted), reason=str(error), note=_REMEDY[kind]
            )
        most = {"denied": self._policy.denied_seconds, "outage": self._policy.outage_seconds}.get(kind, float("inf"))
        return lasted if lasted >= most else None
