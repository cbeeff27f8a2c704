"""How long a call is made again."""

from __future__ import annotations

import contextlib
import threading

import pytest

from processor.errors import CredentialsError, RefusedError, RoleError, StoppedError, UnavailableError
from processor.logs import Log
from processor.patience import PATIENCE_SECONDS, Patience
from processor.retry import Backoff, Outage


class Calls:
    """A patience whose waits take no time, and calls that fail."""

    def __init__(self, error: Exception, *, times: int) -> None:
        self.now = 0.0
        self.stop = threading.Event()
        self.made = 0
        self._error = error
        self._times = times
        outage = Outage(Log(), "delayed", note="", clock=lambda: self.now)
        backoff = lambda: Backoff(uniform=lambda _, __: 0.0)  # noqa: E731  # a name for it
        self.patience = Patience(self.stop, outage, make_backoff=backoff, clock=lambda: self.now)

    def call(self) -> str:
        """Ten seconds later."""
        self.now += 10.0
        self.made += 1
        if self.made <= self._times:
            raise self._error
        return "done"


UNAVAILABLE = UnavailableError("away", code="InternalServerError")
THROTTLED = UnavailableError("throttled", code="ThrottlingException")


def test_a_call_is_made_until_it_works() -> None:
    """For a minute."""
    calls = Calls(UNAVAILABLE, times=5)
    assert calls.patience(calls.call) == "done"
    assert calls.made == 6


def test_patience_ends() -> None:
    """A minute after the first failure the last one is raised."""
    calls = Calls(UNAVAILABLE, times=1000)
    with pytest.raises(UnavailableError, match="away"):
        calls.patience(calls.call)
    assert calls.now == PATIENCE_SECONDS + 10.0


def test_a_table_that_throttles_works() -> None:
    """It may take as long as it likes."""
    calls = Calls(THROTTLED, times=100)
    assert calls.patience(calls.call) == "done"
    assert calls.made == 101


@pytest.mark.parametrize("answer", [None, RefusedError("never", code="ValidationException"), THROTTLED])
def test_any_answer_begins_the_minute_anew(answer: Exception | None) -> None:
    """Another thread's success, refusal or throttle: the table is there, and only this call is out of luck."""
    calls = Calls(UNAVAILABLE, times=50)
    answers = [answer]

    def other() -> None:
        if answers and (error := answers.pop()) is not None:
            raise error

    def call() -> str:
        if calls.made == 4:
            with contextlib.suppress(RefusedError):
                calls.patience(other)
        return calls.call()

    with pytest.raises(UnavailableError, match="away"):
        calls.patience(call)
    assert calls.now == 50.0 + PATIENCE_SECONDS


@pytest.mark.parametrize(
    "error",
    [
        CredentialsError("denied", code="AccessDeniedException"),
        RoleError("denied", code="AccessDenied"),
        RefusedError("never", code="ValidationException"),
    ],
)
def test_what_waiting_does_not_help(error: Exception) -> None:
    """It is raised at once."""
    calls = Calls(error, times=1)
    with pytest.raises(type(error)):
        calls.patience(calls.call)
    assert calls.made == 1


@pytest.mark.parametrize(
    "error",
    [
        CredentialsError("expired", code="ExpiredTokenException"),
        CredentialsError("none", code="NoCredentialsError"),
        RoleError("expired", code="ExpiredToken"),
    ],
)
def test_a_rotation_of_credentials_is_waited_for(error: Exception) -> None:
    """As throttling is: however long it takes until others are found."""
    calls = Calls(error, times=100)
    assert calls.patience(calls.call) == "done"


def test_stop() -> None:
    """Nothing is called any more, and no pause waits."""
    calls = Calls(UNAVAILABLE, times=0)
    calls.patience.pause(0.0)
    calls.stop.set()
    with pytest.raises(StoppedError):
        calls.patience(calls.call)
    with pytest.raises(StoppedError):
        calls.patience.pause(1000.0)
    assert calls.made == 0
