"""How long a call is made again."""

from __future__ import annotations

import contextlib
import threading

import msgspec
import pytest

from processor.errors import (
    CredentialsError,
    NotFoundError,
    RefusedError,
    RoleError,
    StalledError,
    StoppedError,
    ThrottledError,
    UnavailableError,
)
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.retry_policy import COMMAND, COPY, RetryPolicy
from processor.reporting.logs import Log
from tests.fakes.policies import AT_ONCE


class Calls:
    """A command's retries, without pauses, and calls that fail."""

    def __init__(self, error: Exception, *, times: int, policy: RetryPolicy = COMMAND) -> None:
        self.now = 0.0
        self.stop = threading.Event()
        self.made = 0
        self._error = error
        self._times = times
        outage = Outage(Log(), "delayed", note="", clock=lambda: self.now)
        self.retry = Retry(
            msgspec.structs.replace(policy, longest_pause_seconds=0.0), self.stop, outage, clock=lambda: self.now
        )

    def call(self) -> str:
        """Ten seconds later."""
        self.now += 10.0
        self.made += 1
        if self.made <= self._times:
            raise self._error
        return "done"


UNAVAILABLE = UnavailableError("away", code="InternalServerError")
DENIED = CredentialsError("denied", code="AccessDeniedException", is_denial=True)
NO_TABLE = NotFoundError("no table")
THROTTLED = ThrottledError("throttled", code="ThrottlingException")


def test_a_call_is_made_until_it_works() -> None:
    """An outage may last for hours."""
    calls = Calls(UNAVAILABLE, times=1000)
    assert calls.retry(calls.call) == "done"
    assert calls.made == 1001


def test_an_outage_ends_it() -> None:
    """A day after the first failure."""
    calls = Calls(UNAVAILABLE, times=100_000)
    with pytest.raises(StalledError, match="away"):
        calls.retry(calls.call)
    assert calls.now == COMMAND.outage_seconds + 10.0


@pytest.mark.parametrize("answer", [None, RefusedError("never", code="ValidationException"), THROTTLED])
def test_any_answer_begins_anew(answer: Exception | None) -> None:
    """Another thread's success, refusal or throttle: the table is there, and only this call is out of luck."""
    calls = Calls(DENIED, times=1000)
    calls.retry(lambda: None)
    answers = [answer]

    def other() -> None:
        if answers and (error := answers.pop()) is not None:
            raise error

    def call() -> str:
        if calls.made == 4:
            with contextlib.suppress(RefusedError):
                calls.retry(other)
        return calls.call()

    with pytest.raises(StalledError, match="denied"):
        calls.retry(call)
    assert calls.now == 50.0 + COMMAND.denied_seconds


@pytest.mark.parametrize("error", [DENIED, RoleError("denied", code="AccessDenied", is_denial=True), NO_TABLE])
def test_what_a_person_must_put_right(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Raised where nothing has worked yet, or where it can be done without; else said after a minute; waited for."""
    calls = Calls(error, times=1)
    with pytest.raises(type(error)):
        calls.retry(calls.call)
    assert calls.made == 1
    calls = Calls(error, times=80)
    calls.retry(lambda: None)
    with pytest.raises(type(error)):
        calls.retry.ask(calls.call)
    assert calls.made == 1
    assert calls.retry(calls.call) == "done"
    said = [record for record in caplog.records if record.getMessage() == "attention_needed"]
    assert len(said) == 1
    assert "it then goes on by itself" in str(said[0].__dict__["fields"])


def test_what_has_worked_while_a_first_call_was_under_way_counts() -> None:
    """Of threads that all begin at once, one is answered last, and denied: the others were allowed to."""
    calls = Calls(DENIED, times=1)

    def slow() -> str:
        if not calls.made:
            calls.retry(lambda: None)  # another thread's
        return calls.call()

    assert calls.retry(slow) == "done"
    assert calls.made == 2


@pytest.mark.parametrize("error", [UNAVAILABLE, DENIED, NO_TABLE, THROTTLED])
def test_a_record_is_never_given_up(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """By the policy of its way no failure is too many: a week of them, a call each ten seconds."""
    calls = Calls(error, times=7 * 8640, policy=AT_ONCE)
    assert calls.retry(calls.call) == "done"
    assert calls.now > 7 * 86400
    assert "attention_needed" not in caplog.messages


def test_a_copys_parts_wait_for_a_denial_that_comes_first() -> None:
    """Others of them may have worked; it ends them all the same, after a quarter of an hour."""
    calls = Calls(DENIED, times=1000, policy=COPY)
    with pytest.raises(StalledError, match="denied"):
        calls.retry(calls.call)
    assert calls.now == COPY.denied_seconds + 10.0


def test_a_refusal_is_final() -> None:
    """No later call is answered otherwise."""
    calls = Calls(RefusedError("never", code="ValidationException"), times=1)
    with pytest.raises(RefusedError):
        calls.retry(calls.call)
    assert calls.made == 1


@pytest.mark.parametrize(
    "error",
    [
        THROTTLED,
        CredentialsError("expired", code="ExpiredTokenException"),
        CredentialsError("none", code="NoCredentialsError"),
        RoleError("expired", code="ExpiredToken"),
    ],
)
def test_what_is_waited_for(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """However long it takes; who must renew credentials is told after a minute, once."""
    calls = Calls(error, times=100_000)
    assert calls.retry(calls.call) == "done"
    said = [record for record in caplog.records if "attention_needed" in record.getMessage()]
    assert len(said) == (error is not THROTTLED)


def test_stop() -> None:
    """Nothing is called any more, and no pause waits."""
    calls = Calls(UNAVAILABLE, times=0)
    calls.retry.pause(0.0)
    calls.stop.set()
    with pytest.raises(StoppedError):
        calls.retry(calls.call)
    with pytest.raises(StoppedError):
        calls.retry.pause(1000.0)
    assert calls.made == 0
