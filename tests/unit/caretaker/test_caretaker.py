"""What a caretaker does with a job that has ended, or can't be begun."""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from processor.caretaker.caretaker import LOOK_SECONDS, Caretaker
from processor.caretaker.duty import Duty, Job, Outcome
from processor.caretaker.work import Work
from processor.errors import UnavailableError
from processor.flow.outage import Outage
from processor.reporting.logs import Log
from processor.state.care_row import CareRow
from tests.fakes.clock import Clock
from tests.fakes.task.tasks import task
from tests.unit.caretaker.standing import standing
from tests.unit.conftest import Event

JOB = Job(command="verify")
OUTCOME = Outcome(status=0, report={"complete": True}, seconds=1.0)


class Forgetful:
    """A duty that can't note the first outcome."""

    name = "forgetful"

    def __init__(self) -> None:
        self.heard: list[Outcome] = []
        self.asked = 0

    def due(self, *_: Any) -> Job | None:
        """One job, and then whatever its outcome asks for."""
        self.asked += 1
        return JOB if self.asked == 1 else None

    def ended(self, _: Job, outcome: Outcome, *__: Any) -> None:
        """Note it."""
        self.heard.append(outcome)
        if len(self.heard) == 1:
            raise UnavailableError("away", code="x")


def caretaker_of(duty: Duty, begin: Callable[[Job], Work], clock: Clock) -> Caretaker:
    """One that holds the lock, and has this duty alone."""
    seen = standing(task(), CareRow(holder="h"))
    lock: Any = SimpleNamespace(is_held=True, row=seen.care, note=lambda **_: None)
    return Caretaker(
        lock,
        look=lambda _: seen,
        begin=begin,
        duties=[duty],
        observers=[],
        outage=Outage(Log(), "caretaker_delayed", note=""),
        log=Log(),
        clock=clock,
    )


def test_an_outcome_is_told_until_it_is_noted() -> None:
    """The duty hears it again at the next look, and is asked for nothing more before."""
    clock, duty = Clock(), Forgetful()
    work: Any = SimpleNamespace(job=JOB, poll=lambda: OUTCOME, stop=lambda: None)
    caretaker = caretaker_of(duty, lambda _: work, clock)
    caretaker.tick()
    caretaker.tick()
    assert (duty.heard, duty.asked) == ([OUTCOME], 1)
    caretaker.tick()
    assert (duty.heard, duty.asked) == ([OUTCOME], 1)
    clock.now += LOOK_SECONDS
    caretaker.tick()
    assert (duty.heard, duty.asked) == ([OUTCOME, OUTCOME], 2)


def test_a_job_that_cannot_be_begun_has_failed(events: Callable[[], list[Event]]) -> None:
    """Its duty hears why, and gives it again after its own pauses; a machine without room for it is no bug of ours."""
    clock, duty = Clock(), Forgetful()

    def begin(_: Job) -> Work:
        raise OSError(errno.EMFILE, "Too many open files")

    caretaker = caretaker_of(duty, begin, clock)
    for _ in range(2):
        caretaker.tick()
        clock.now += LOOK_SECONDS
    (outcome,) = duty.heard
    assert outcome.status > 0
    assert "Too many open files" in outcome.message
    assert [each.name for each in events() if each.name in {"caretaker_failed", "care_work_begun"}] == []
