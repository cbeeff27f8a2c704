"""The duty to make a replica: each step once, resumed from the row alone, and failures said once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from processor.caretaker.duty import Job, Outcome
from processor.caretaker.replica import Replica
from processor.reporting.logs import Log
from processor.state.care_row import CareRow, Trouble
from tests.fakes.task.tasks import task
from tests.unit.caretaker.standing import HOUR_MS, NOW_MS, copy, loss, standing
from tests.unit.conftest import Event

SETTINGS = task(bootstrap="true", afterLoss="copy")
Events = Callable[[], list[Event]]


class Row:
    """The lock, with a row that is only here."""

    def __init__(self, **fields: Any) -> None:
        self.row = CareRow(**fields)

    def note(self, **parts: Any) -> CareRow:
        """As the lock does."""
        self.row = msgspec.structs.replace(self.row, **parts)
        return self.row


def due(row: Any, duty: Replica | None = None, **seen: Any) -> Job | None:
    """What is due, as whoever takes over would see it."""
    return (duty or Replica(Log())).due(standing(SETTINGS, row.row, **seen), row)


def ended(row: Any, duty: Replica, job: Job, status: int = 0, *, seconds: float = 1.0, **report: Any) -> None:
    """The job has ended so."""
    duty.ended(job, Outcome(status=status, report=report, seconds=seconds), standing(SETTINGS, row.row), row)


def test_from_created_to_in_sync(events: Events) -> None:
    """Each step is what the row says, whoever asks."""
    row: Any = Row(phase="created", copy_after_ms=NOW_MS - 2 * HOUR_MS)
    job = due(row)
    assert job == Job(command="copy", options=("--concurrent",), why="a new replica")
    assert row.row.phase == "copying"
    job = due(row, copied=copy(state="running"))  # its caretaker was killed
    assert job is not None
    assert job.options == ("--concurrent",)
    job = due(row, copied=copy())
    assert job == Job(command="verify", why="a new replica")
    assert row.row.phase == "verifying"
    duty = Replica(Log())
    assert due(row, duty, copied=copy()) == job  # its caretaker was killed once more
    ended(row, duty, job, complete=True, equal=7)
    assert (row.row.phase, row.row.phase_since_ms) == ("in sync", NOW_MS), "verified at the comparison's begin"
    assert due(row, duty, copied=copy()) is None
    (said,) = [each for each in events() if each.name == "in_sync"]
    assert said.fields["equal"] == 7
    assert "all 7 items are equal" in said.fields["note"]


def test_what_differs_is_said_and_not_in_sync(events: Events) -> None:
    """It is an error, said once for as long as it is the same; and verified again."""
    clock = [0.0]
    duty = Replica(Log(), clock=lambda: clock[0])
    row: Any = Row(phase="verifying")
    for _ in range(2):
        job = due(row, duty, copied=copy())
        assert job is not None
        ended(row, duty, job, 1, complete=True, equal=7, missing=2)
        assert row.row.phase == "verifying"
        assert (row.row.trouble.kind, row.row.trouble.command) == ("differs", "verify")
        assert row.row.trouble.reason == "2 keys differ, of 9"
        assert due(row, duty, copied=copy()) is None, "without a pause"
        clock[0] += 600
    assert [(each.level, each.name) for each in events() if each.level > logging.INFO] == [
        (logging.ERROR, "replica_differs")
    ]


@pytest.mark.parametrize(("seconds", "pause"), [(3600.0, 9 * 3600), (20_000.0, 86400)])
def test_a_long_comparison_is_not_repeated_at_once(seconds: float, pause: int, events: Events) -> None:
    """While nobody mends what differs, both tables would be read, and paid for, again and again without end."""
    clock = [0.0]
    duty = Replica(Log(), clock=lambda: clock[0])
    row: Any = Row(phase="verifying")
    job = due(row, duty, copied=copy())
    assert job is not None
    ended(row, duty, job, 1, seconds=seconds, complete=True, equal=7, missing=2)
    assert [each.fields["again_in_seconds"] for each in events() if each.name == "replica_differs"] == [pause]
    clock[0] += pause - 1
    assert due(row, duty, copied=copy()) is None
    clock[0] += 1
    assert due(row, duty, copied=copy()) == job


def test_what_differs_is_told_until_a_comparison_says_otherwise() -> None:
    """Neither what is waited for meanwhile nor the next comparison takes it for mended."""
    clock = [0.0]
    duty = Replica(Log(), clock=lambda: clock[0])
    row: Any = Row(phase="verifying")
    job = due(row, duty, copied=copy())
    assert job is not None
    ended(row, duty, job, 1, complete=True, equal=7, missing=2)
    for seconds in (0, 600):
        clock[0] += seconds
        assert due(row, duty, copied=copy(), lag_seconds=100.0) is None
        assert row.row.trouble.kind == "differs"
    assert due(row, duty, copied=copy()) == job
    assert row.row.trouble.kind == "differs"
    ended(row, duty, job, complete=True, equal=9)
    assert (row.row.phase, row.row.trouble) == ("in sync", None)


def test_a_failure_is_told_until_the_command_is_given_again() -> None:
    """Else the row would name what was waited for, and has long passed."""
    clock = [0.0]
    duty = Replica(Log(), clock=lambda: clock[0])
    row: Any = Row(phase="verifying")
    job = due(row, duty, copied=copy())
    assert job is not None
    ended(row, duty, job, 5, error="the reason")
    assert due(row, duty, copied=copy(), lag_seconds=100.0) is None
    assert due(row, duty, copied=copy()) is None
    assert row.row.trouble.kind == "delayed"


@pytest.mark.parametrize(
    ("status", "level", "name"),
    [
        (22, logging.ERROR, "replica_refused"),
        (5, logging.WARNING, "replica_delayed"),
        (-9, logging.WARNING, "replica_delayed"),
    ],
)
def test_a_command_that_fails_is_given_again(status: int, level: int, name: str, events: Events) -> None:
    """With its own message, after a pause; a person is called only for what a person must put right."""
    clock = [0.0]
    duty = Replica(Log(), clock=lambda: clock[0])
    row: Any = Row(phase="copying")
    job = due(row, duty)
    assert job is not None
    ended(row, duty, job, status, error="the reason")
    assert row.row.trouble == Trouble(
        kind="refused" if status == 22 else "delayed", reason="the reason", at_ms=NOW_MS, command="copy"
    )
    assert due(row, duty) is None
    clock[0] += 600
    assert due(row, duty) == job
    assert row.row.trouble is None
    (said,) = [each for each in events() if each.level > logging.INFO]
    assert (said.level, said.name, said.fields["reason"]) == (level, name, "the reason")


def test_a_loss_begins_anew(events: Events) -> None:
    """From any phase; what only the destination has is deleted then, and that is over when it is in sync again."""
    row: Any = Row(phase="in sync", copy_after_ms=NOW_MS - 2 * HOUR_MS)
    duty = Replica(Log())
    job = due(row, duty, copied=copy(), holds=(loss(NOW_MS),))
    assert job == Job(command="copy", options=("--concurrent", "--restart"), why="changes were lost")
    assert (row.row.phase, row.row.copy_after_ms, row.row.lost_ms) == ("copying", NOW_MS, NOW_MS)
    job = due(row, duty, copied=copy(started_ms=NOW_MS))
    assert job is not None
    assert job.options == ("--repair", "--deleteExtra")
    ended(row, duty, job, complete=True, equal=7, missing=1, extra=2, repaired=3)
    assert (row.row.phase, row.row.lost_ms) == ("in sync", 0)
    (said,) = [each for each in events() if each.name == "in_sync"]
    assert (said.fields["written"], said.fields["deleted"]) == (1, 2)


def test_a_task_that_nobody_bootstrapped_has_nothing_to_be_done() -> None:
    """It has checkpoints from before."""
    row: Any = Row()
    assert due(row) is None
    assert row.row == CareRow()
