"""A role's credentials, while STS answers and while it doesn't."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest

from processor.aws.role_credentials import Assumed, Renewal
from processor.errors import RoleError, UnavailableError
from processor.flow.retry_policy import ROLE
from tests.fakes.patience import PATIENCE_SECONDS

START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


class Sts:
    """Gives credentials of an hour, or raises ``error``."""

    def __init__(self) -> None:
        self.now = START
        self.asked = 0
        self.error: Exception | None = None
        self.hangs = False
        self.has_threads = True
        self.hung: list[Callable[[], None]] = []
        self.renewal = Renewal(
            "arn:aws:iam::123456789012:role/writer", self.ask, beside=self.beside, now=lambda: self.now
        )

    def beside(self, work: Callable[[], None]) -> None:
        """Done at once, or in the end, or not at all."""
        if not self.has_threads:
            raise RuntimeError("can't start new thread")
        if self.hangs:
            self.hung.append(work)
        else:
            work()

    def ask(self) -> Assumed:
        """AssumeRole."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        until = self.now + dt.timedelta(hours=1)
        return {"access_key": f"K{self.asked}", "secret_key": "s", "token": "t", "expiry_time": until.isoformat()}

    def key(self, *, minutes: float) -> str:
        """The key that is handed out so long after the start."""
        self.now = START + dt.timedelta(minutes=minutes)
        return self.renewal()["access_key"]


def test_credentials_serve_on_while_sts_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """What still holds is used on, to its last second; STS is asked once a while, not by each call; it is said once."""
    sts = Sts()
    assert sts.key(minutes=0) == "K1"
    sts.error = UnavailableError("AssumeRole: no answer", code="ConnectTimeoutError")
    assert {sts.key(minutes=46 + call / 60) for call in range(int(ROLE.longest_pause_seconds))} == {"K1"}
    assert sts.asked == 2
    assert sts.key(minutes=59.99) == "K1"
    assert [record.getMessage() for record in caplog.records] == ["role_not_renewed"]
    with pytest.raises(UnavailableError, match="no answer"):
        sts.key(minutes=60)


def test_sts_is_asked_again_when_it_may_be_back() -> None:
    """The next try brings new credentials; those that are over are not kept from being renewed by the pause."""
    sts = Sts()
    sts.key(minutes=0)
    sts.error = RoleError("AssumeRole: AccessDenied", code="AccessDenied")
    assert sts.key(minutes=59.9) == "K1"
    sts.error = None
    assert sts.key(minutes=60) == "K3"
    assert sts.key(minutes=106) == "K4"


def test_no_call_waits_for_an_sts_that_hangs() -> None:
    """What still holds is given at once, and STS is not asked by each call; its late answer serves the next."""
    sts = Sts()
    sts.key(minutes=0)
    sts.hangs = True
    assert {sts.key(minutes=46), sts.key(minutes=47), sts.key(minutes=55)} == {"K1"}
    (work,) = sts.hung
    work()
    assert sts.key(minutes=56) == "K2"


def test_a_system_without_threads_costs_no_call(caplog: pytest.LogCaptureFixture) -> None:
    """What still holds is given; the renewal is tried again after its pause."""
    sts = Sts()
    sts.key(minutes=0)
    sts.has_threads = False
    assert {sts.key(minutes=46), sts.key(minutes=46)} == {"K1"}
    assert [(record.getMessage(), record.fields["error"]) for record in caplog.records] == [  # type: ignore[attr-defined]
        ("role_not_renewed", "NoThread")
    ]
    sts.has_threads = True
    assert sts.key(minutes=48) == "K2"


def test_it_is_asked_by_another_thread() -> None:
    """By default."""
    threads: list[threading.Thread] = []
    asked = threading.Event()

    def ask() -> Assumed:
        threads.append(threading.current_thread())
        if len(threads) > 1:
            asked.set()
        return {"access_key": "K", "secret_key": "s", "token": "t", "expiry_time": START.isoformat()}

    renewal = Renewal("arn:aws:iam::123456789012:role/writer", ask, now=lambda: START - dt.timedelta(minutes=1))
    renewal()
    renewal()
    assert asked.wait(PATIENCE_SECONDS)
    assert threads[0] is threading.current_thread() is not threads[1]


def test_a_role_that_was_never_had_is_an_error() -> None:
    """The first refusal is raised as it came."""
    sts = Sts()
    sts.error = RoleError("AssumeRole: AccessDenied", code="AccessDenied")
    with pytest.raises(RoleError):
        sts.key(minutes=0)
