"""A role's credentials, renewed before they expire; while STS can't renew them, those that still hold are used on.

::

    assumed                                 15 min left              expired
    ───┼───────────────────────────────────────┼────────────────────────┼──▶
       botocore asks for no others             asks at each call        an error
                                               STS is asked once a while; the old ones serve meanwhile

botocore alone would fail every call from ten minutes before the end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypedDict

from processor.errors import UnavailableError
from processor.logs import Log
from processor.retry import Outage

# Between two tries: a call waits for the answer, and STS limits an account's calls.
RETRY_SECONDS = 20.0
# botocore looks at its own clock once more, and raises what is no error of AWS's where they ended in between.
_TO_THE_END = dt.timedelta(seconds=0.5)


class Assumed(TypedDict):
    """As botocore takes them; ``expiry_time`` in ISO 8601, with its zone."""

    access_key: str
    secret_key: str
    token: str
    expiry_time: str


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


class Renewal:
    """What botocore calls to renew a role's credentials; never by two threads at once.

    :param ask: AssumeRole
    """

    def __init__(self, role_arn: str, ask: Callable[[], Assumed], *, now: Callable[[], dt.datetime] = _now) -> None:
        self._ask = ask
        self._now = now
        self._assumed: Assumed | None = None
        self._not_before: dt.datetime | None = None
        self._outage = Outage(
            Log(role=role_arn),
            "role_not_renewed",
            note="Its credentials hold for some minutes yet and are used on; then every call of this role fails.",
        )

    def __call__(self) -> Assumed:
        """Give new credentials, or else the last ones.

        :raises UnavailableError: there are none that hold
        """
        now = self._now()
        if self._not_before is not None and now < self._not_before and self._held(now):
            return self._held(now)  # type: ignore[return-value]  # as just asked
        try:
            self._assumed = self._ask()
        except UnavailableError as exc:
            held = self._held(self._now())
            if held is None:
                raise
            self._outage.failed(exc.code, str(exc))
            self._not_before = self._now() + dt.timedelta(seconds=RETRY_SECONDS)
            return held
        self._not_before = None
        self._outage.succeeded()
        return self._assumed

    def _held(self, now: dt.datetime) -> Assumed | None:
        if self._assumed is None:
            return None
        if now >= dt.datetime.fromisoformat(self._assumed["expiry_time"]) - _TO_THE_END:
            return None
        return self._assumed
