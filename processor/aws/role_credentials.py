"""Renews a role's credentials before they expire; until that succeeds, the current ones are used.

::

    assumed                                 15 min left              expired
    ───┼───────────────────────────────────────┼────────────────────────┼──▶
       botocore asks for no others             asks at each call        an error
                                               STS is asked now and then, by another thread; no call waits for it

botocore alone would fail every call from ten minutes before the end, and let calls wait for an STS that hangs.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import TypedDict

from processor.errors import UnavailableError
from processor.flow.outage import Outage
from processor.flow.retry_policy import ROLE
from processor.reporting.logs import Log

# botocore checks the time once more, and raises an error of its own if they expired in between.
_TO_THE_END = dt.timedelta(seconds=0.5)


class Assumed(TypedDict):
    """A role's credentials in botocore's form; ``expiry_time`` in ISO 8601, with a time zone."""

    access_key: str
    secret_key: str
    token: str
    expiry_time: str


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="renew-role", daemon=True).start()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


class Renewal:
    """The function that botocore calls to renew a role's credentials; never by two threads at once.

    :param ask: makes the call AssumeRole
    :param beside: runs a function in the background
    """

    def __init__(
        self,
        role_arn: str,
        ask: Callable[[], Assumed],
        *,
        beside: Callable[[Callable[[], None]], None] = _in_a_thread,
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._ask = ask
        self._beside = beside
        self._now = now
        self._assumed: Assumed | None = None
        self._is_asking = False
        self._not_before: dt.datetime | None = None
        self._outage = Outage(
            Log(role=role_arn),
            "role_not_renewed",
            note="Its credentials hold for some minutes yet and are used on; then every call of this role fails.",
        )

    def __call__(self) -> Assumed:
        """Return the newest valid credentials, and let new ones be asked for if it is time.

        :raises UnavailableError: there are no valid ones
        """
        now = self._now()
        if self._held(now) is None:
            self._assumed = self._ask()
            self._renewed()
        elif not self._is_asking and (self._not_before is None or now >= self._not_before):
            self._begin()
        return self._assumed  # type: ignore[return-value]  # as just seen

    def _begin(self) -> None:
        self._is_asking = True
        try:
            self._beside(self._renew)
        except RuntimeError as exc:  # the system has no more threads
            self._is_asking = False
            self._failed("NoThread", str(exc))

    def _renew(self) -> None:
        try:
            self._assumed = self._ask()
        except UnavailableError as exc:
            self._failed(exc.code, str(exc))
        else:
            self._renewed()
        finally:
            self._is_asking = False

    def _failed(self, code: str, error: str) -> None:
        self._not_before = self._now() + dt.timedelta(seconds=ROLE.longest_pause_seconds)
        self._outage.failed(code, error)

    def _renewed(self) -> None:
        self._not_before = None
        self._outage.succeeded()

    def _held(self, now: dt.datetime) -> Assumed | None:
        if self._assumed is None:
            return None
        if now >= dt.datetime.fromisoformat(self._assumed["expiry_time"]) - _TO_THE_END:
            return None
        return self._assumed
