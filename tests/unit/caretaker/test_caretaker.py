"""What a caretaker does with a job that has ended."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from processor.caretaker.caretaker import LOOK_SECONDS, Caretaker
from processor.caretaker.duty import Job, Outcome
from processor.errors import UnavailableError
from processor.flow.outage import Outage
from processor.reporting.logs import Log
from processor.state.care_row import CareRow
from tests.fakes.clock import Clock
from tests.fakes.task.tasks import task
from tests.unit.caretaker.standing import standing

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


def test_an_outcome_is_told_until_it_is_noted() -> None:
    """The duty hears it again at the next look, and is asked for nothing more before."""
    clock, duty = Clock(), Forgetful()
    seen = standing(task(), CareRow(holder="h"))
    lock: Any = SimpleNamespace(is_held=True, row=seen.care, note=lambda **_: None)
    work: Any = SimpleNamespace(job=JOB, poll=lambda: OUTCOME, stop=lambda: None)
    caretaker = Caretaker(
        lock,
        look=lambda _: seen,
        begin=lambda _: work,
        duties=[duty],
        observers=[],
        outage=Outage(Log(), "caretaker_delayed", note=""),
        log=Log(),
        clock=clock,
    )
    caretaker.tick()
    caretaker.tick()
    assert (duty.heard, duty.asked) == ([OUTCOME], 1)
    caretaker.tick()
    assert (duty.heard, duty.asked) == ([OUTCOME], 1)
    clock.now += LOOK_SECONDS
    caretaker.tick()
    assert (duty.heard, duty.asked) == ([OUTCOME, OUTCOME], 2)
