"""When a start waits, when it goes on, and when it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from processor.commands.replicate.command import Readiness
from processor.errors import NotReadyError
from processor.flow.retry_policy import START
from processor.reporting.findings import Cause, Finding, error, warning
from processor.startup.facts import Facts
from processor.startup.preflight import PreflightReport
from tests.fakes.clock import Clock
from tests.fakes.task.tasks import task

OUTAGE = error("unreachable", "source table orders", "can't be reached", "It can't be used", "Check it", cause="outage")
PENDING = error("table-not-active", "destination table orders-copy", "is CREATING", "Not yet", "Wait", cause="pending")
DENIED = error("not-allowed", "source table orders", "not allowed", "It can't be used", "Allow it")
NO_JAVA = error("java-unusable", "Java", "none on the PATH", "The daemon can't run", "Install it", cause="setup")
TTL = warning(
    "destination-ttl", "destination table orders-copy", "deletes items by itself", "It may lack items", "Turn it off"
)


class Sleeper(Clock):
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.pauses.append(seconds)
        self.now += seconds


Wait = Callable[[list[list[Finding]]], PreflightReport]


@pytest.fixture
def clock() -> Sleeper:
    """Time."""
    return Sleeper()


@pytest.fixture
def wait(clock: Sleeper) -> Wait:
    """Waits through these looks; the last one stays."""

    def run(looks: list[list[Finding]]) -> PreflightReport:
        left = list(looks)

        def look(_: object, __: set[str]) -> PreflightReport:
            return PreflightReport(facts=Facts(), findings=left.pop(0) if len(left) > 1 else left[0])

        return Readiness(task(), look=look, clock=clock, sleep=clock.sleep).wait()

    return run


@pytest.fixture(autouse=True)
def _propagate(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, logger="processor"):
        yield


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.msg for record in caplog.records]


def test_a_start_in_order_waits_for_nothing(wait: Wait, clock: Sleeper, caplog: pytest.LogCaptureFixture) -> None:
    """A warning is said, and nothing else."""
    assert wait([[TTL]]).findings == [TTL]
    assert (clock.pauses, _said(caplog)) == ([], [])


@pytest.mark.parametrize("passing", [OUTAGE, PENDING], ids=["outage", "pending"])
def test_what_passes_is_waited_for(
    passing: Finding,
    wait: Wait,
    clock: Sleeper,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For days, with pauses that grow to a minute; said at once, then ever more rarely, and once that it is over."""
    looks = 3000
    wait([*[[passing]] * looks, []])
    assert len(clock.pauses) == looks
    assert max(clock.pauses[:3]) <= 4
    assert 30 <= min(clock.pauses[10:]) <= max(clock.pauses) <= 60
    said = _said(caplog)
    assert (said[0], said[-1]) == ("start_delayed", "start_delayed_over")
    assert said.count("start_delayed") < looks / 4
    assert capsys.readouterr().err.count(passing.object) == 1


def test_a_wrong_answer_is_looked_at_again(wait: Wait, clock: Sleeper) -> None:
    """One that is gone at the next look was none."""
    assert wait([[DENIED], [OUTAGE], [DENIED], []]).errors == []
    assert sum(clock.pauses) < START.denied_seconds


def test_a_wrong_answer_that_stays_is_believed(wait: Wait, clock: Sleeper, capsys: pytest.CaptureFixture[str]) -> None:
    """After ten seconds in which every look found one; an outage in between begins them anew."""
    with pytest.raises(NotReadyError, match="1 thing above must be put right first"):
        wait([[DENIED]])
    assert sum(clock.pauses) == pytest.approx(START.denied_seconds)
    assert len(clock.pauses) > 2
    assert capsys.readouterr().err.count("error   source table orders") == 1


def test_what_passes_does_not_hide_what_stays(wait: Wait, clock: Sleeper) -> None:
    """An outage beside something that a person must put right ends with 22, too."""
    with pytest.raises(NotReadyError, match="1 thing above"):
        wait([[PENDING, DENIED]])
    assert sum(clock.pauses) == pytest.approx(START.denied_seconds)


def test_what_is_wrong_here_ends_it_at_once(wait: Wait, clock: Sleeper) -> None:
    """Settings, files and Java are no answers that could be wrong."""
    with pytest.raises(NotReadyError, match="2 things above"):
        wait([[NO_JAVA, DENIED]])
    assert clock.pauses == []


def test_the_exit_status_is_that_of_what_must_be_put_right() -> None:
    """Only where all is an outage a command ends with 5."""
    from processor.reporting.findings import failure_of

    def status(*causes: Cause) -> int:
        return failure_of([error("unreachable", "", "", "", "", cause=cause) for cause in causes]).exit_status

    assert [status("outage"), status("outage", "outage")] == [5, 5]
    assert [status("answer"), status("setup"), status("pending"), status("outage", "answer")] == [22] * 4
