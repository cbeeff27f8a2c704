"""Until when a copy may go on."""

from __future__ import annotations

import pytest

from processor.commands.copy import deadline
from processor.commands.copy.deadline import CopyDeadline
from processor.errors import CopyTooLateError, UnavailableError
from processor.state.copy_rows import CopyState

HOUR = 3600.0


class Case:
    """A copy's deadline, with a clock, and leases that say what they are told to."""

    def __init__(self, *, concurrent: bool, hours: float = 0.0) -> None:
        self.hours = hours
        self.begun: bool | None = False
        self.looks = 0
        copy = CopyState(id="1", started_ms=0, stream_arn="arn", concurrent=concurrent)
        self.deadline = CopyDeadline(copy, self._look, now=lambda: self.hours * HOUR)

    def _look(self) -> bool:
        self.looks += 1
        if self.begun is None:
            raise UnavailableError("no answer", code="ReadTimeoutError")
        return self.begun

    def may_go_on(self, hours: float) -> bool:
        """At that age."""
        self.hours = hours
        try:
            self.deadline.check()
        except CopyTooLateError:
            return False
        return True


def test_before_a_replication() -> None:
    """It must be through after 23 hours; the remedy comes in the order in which it works."""
    case = Case(concurrent=False)
    assert case.may_go_on(22.9)
    with pytest.raises(CopyTooLateError, match=r"23\.1 hours ago.*with --concurrent, then start the replication"):
        assert case.may_go_on(23.1) or case.deadline.check()
    assert case.looks == 0


def test_beside_a_replication_that_does_not_begin() -> None:
    """It is the same, and said what to do first; leases are not looked at before."""
    case = Case(concurrent=True)
    assert case.may_go_on(22.9)
    assert case.looks == 0
    case.begun = None
    assert case.may_go_on(23.1)
    assert case.may_go_on(23.1)
    assert case.looks == 1
    case.begun = False
    assert not case.may_go_on(23.1 + deadline.LOOK_SECONDS / HOUR)
    case = Case(concurrent=True)
    case.hours = 23.1
    with pytest.raises(CopyTooLateError, match=r"no replication has begun.*Start the replication, then give the same"):
        case.deadline.check()


def test_beside_a_replication_that_has_begun() -> None:
    """It may take as long as it likes."""
    case = Case(concurrent=True)
    case.begun = True
    assert case.may_go_on(23.1)
    assert case.may_go_on(100.0)
    assert case.looks == 1


def test_gone_on_with_beside_a_replication_that_is_about_to_begin() -> None:
    """A copy that was begun without one leaves the hour in which it may be started."""
    case = Case(concurrent=True, hours=23.1)
    assert case.may_go_on(23.9)
    assert not case.may_go_on(24.1)


def test_whether_a_replication_is_known_to_go_on() -> None:
    """Not without an answer, and not beside a copy that is made before it."""
    case = Case(concurrent=True)
    assert not case.deadline.replicating()
    case.begun = None
    assert not case.deadline.replicating()
    case.begun = True
    assert case.deadline.replicating()
    case = Case(concurrent=False)
    case.begun = True
    assert not case.deadline.replicating()
