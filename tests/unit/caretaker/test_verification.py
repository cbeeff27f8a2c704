"""When the tables are compared by themselves, what is said of that, and what it gives way to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import boto3
import msgspec
import pytest
from moto import mock_aws

from processor.caretaker.caretaker import Caretaker
from processor.caretaker.duty import Duty, Job, Outcome, Standing
from processor.caretaker.lock import CareLock
from processor.caretaker.verification import AGAIN_SECONDS, VerificationDuty, is_due
from processor.flow.outage import Outage
from processor.reporting.logs import Log
from processor.state import task_row, verification_row
from processor.state.care_row import CareRow
from processor.state.copy_rows import CopyState
from processor.state.status import report
from processor.state.status.snapshot import Seen
from processor.state.status.verification import Verification, VerificationProgress
from processor.state.verification_row import Failure, Verified
from tests.fakes.task import tasks
from tests.unit.conftest import Event
from tests.unit.state.test_task_row import TASK

NOW_MS = 1_800_000_000_000
SETTINGS = tasks.task(verifyEvery="24h", taskName="t")
NOTHING = Verification(every_seconds=86_400, looked_ms=NOW_MS)
LAST = Verified(through_ms=NOW_MS - 3_600_000, ended_ms=NOW_MS, equal=1, missing=0, extra=0, different=0)
RUNNING = VerificationProgress(
    host="h/1", started_ms=0, saved_ms=0, parts=16, parts_settled=1, items=0, expected_items=0
)
DONE = CopyState(id="c", state="done", started_ms=0, stream_arn="arn")
Events = Callable[[], list[Event]]


def _last(hours: float) -> Verification:
    through_ms = int(NOW_MS - hours * 3_600_000)
    return msgspec.structs.replace(NOTHING, last=msgspec.structs.replace(LAST, through_ms=through_ms))


def _failed(seconds: float, found: Verification) -> Verification:
    failure = Failure(at_ms=int(NOW_MS - seconds * 1000), reason="denied")
    return msgspec.structs.replace(found, failure=failure)


@pytest.mark.parametrize(
    ("found", "due"),
    [
        (NOTHING, True),
        (_last(1), False),
        (_last(23.9), False),
        (_last(24.1), True),
        (_last(-1), True),  # of a clock that was wrong
        (msgspec.structs.replace(_last(1), running=RUNNING), True),
        (_failed(1, NOTHING), False),
        (_failed(AGAIN_SECONDS + 1, NOTHING), True),
        (_failed(AGAIN_SECONDS + 1, _last(1)), False),
    ],
)
def test_when_a_pass_is_due(found: Verification, due: bool) -> None:  # noqa: FBT001  # a case
    """A period after the last one began; at once where one was interrupted, but some time after a failure."""
    assert is_due(found, NOW_MS) == due


def _standing(found: Verification | None, **changed: Any) -> Standing:
    seen = Seen(verification=found)
    made = report.make(SETTINGS, seen, max_lag_seconds=60)
    given = {"care": CareRow(), "copy": None} | changed
    return Standing(settings=SETTINGS, report=made, seen=seen, at=NOW_MS / 1000, **given)


def _duty(client: Any = None) -> VerificationDuty:
    return VerificationDuty(lambda: client, log=Log())


NO_LOCK = cast("CareLock", None)


def test_nothing_is_compared_before_it_is_there() -> None:
    """Not during a copy, nor before the replica is made; nor where the row can't be read."""
    duty = _duty()
    job = Job(command="verify", options=("--rolling",), gives_way=True)
    assert duty.due(_standing(NOTHING), NO_LOCK) == job
    assert duty.due(_standing(NOTHING, copy=DONE, care=CareRow(phase="in sync")), NO_LOCK) == job
    copying = msgspec.structs.replace(DONE, state="running")
    for standing in (
        _standing(None),
        _standing(NOTHING, copy=copying),
        _standing(NOTHING, care=CareRow(phase="copying")),
        _standing(NOTHING, care=CareRow(phase="verifying")),
    ):
        assert duty.due(standing, NO_LOCK) is None


def _ended(duty: VerificationDuty, status: int, **said: Any) -> None:
    outcome = Outcome(status=status, report=said, seconds=1.0)
    duty.ended(Job(command="verify"), outcome, _standing(NOTHING), NO_LOCK)


def test_what_is_said_of_what_was_found(events: Events) -> None:
    """An error where a person must look, with counts, what follows and what to do; a notice of what was mended."""
    duty = _duty()
    _ended(duty, 1, equal=9, missing=1, extra=2, different=3, repaired=4)
    _ended(duty, 0, equal=9, missing=4, repaired=4)
    _ended(duty, 0, equal=9)
    _ended(duty, 143)
    said = events()
    assert [(each.level, each.name) for each in said] == [
        (logging.ERROR, "verification_found_differences"),
        (25, "verification_repaired"),
        (logging.INFO, "verification_done"),
    ]
    counts = {"equal": 9, "missing": 1, "extra": 2, "different": 3, "repaired": 4, "left": 2}
    assert counts.items() <= said[0].fields.items()
    assert said[0].fields["table"] == "orders-copy in us-east-1"
    assert "verify FILE names them; --repair writes" in said[0].fields["note"]


@pytest.fixture
def client() -> Iterator[Any]:
    """DynamoDB with the task's table."""
    with mock_aws():
        made = boto3.client("dynamodb", region_name="eu-west-1")
        task_row.write(made, SETTINGS.task_table, TASK, before=None)
        yield made


@pytest.mark.parametrize(("status", "said"), [(22, {"error": "no such table"}), (-9, {})])
def test_a_failure_is_kept(client: Any, events: Events, status: int, said: dict[str, Any]) -> None:
    """For status, with its reason, however early it came."""
    _ended(_duty(client), status, **said)
    found = verification_row.read(client, SETTINGS.task_table)
    assert found is not None
    assert found.failure == Failure(at_ms=NOW_MS, reason=said.get("error", "it ended with -9"))
    assert [each.name for each in events()] == ["verification_failed"]


class _Duty:
    """Wants its job as long as it is told to."""

    def __init__(self, name: str, job: Job) -> None:
        self.name = name
        self.job = job
        self.wants = False

    def due(self, *_: object) -> Job | None:
        """As a duty."""
        return self.job if self.wants else None

    def ended(self, *_: object) -> None:
        """As a duty."""


class _Lock:
    is_held = True
    row = CareRow()

    def note(self, **_: object) -> None:
        """As the lock."""


class _Work:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.stopped = False

    def poll(self) -> None:
        """It goes on."""

    def stop(self) -> None:
        """As a work."""
        self.stopped = True


@pytest.mark.parametrize("gives_way", [True, False])
def test_a_job_gives_way_to_the_duties_before_its_own(gives_way: bool) -> None:  # noqa: FBT001  # a case
    """If it says so; to those behind it never does."""
    first, slow, last = (
        _Duty("first", Job(command="copy")),
        _Duty("slow", Job(command="verify", gives_way=gives_way)),
        _Duty("last", Job(command="copy", options=("--restart",))),
    )
    works: list[_Work] = []
    now = [0.0]

    def begin(job: Job) -> _Work:
        works.append(_Work(job))
        return works[-1]

    log = Log()
    caretaker = Caretaker(
        cast("CareLock", _Lock()),
        look=lambda _: _standing(NOTHING),
        begin=begin,
        duties=[cast("Duty", each) for each in (first, slow, last)],
        observers=[],
        outage=Outage(log, "test", note=""),
        log=log,
        clock=lambda: now[0],
    )

    def look() -> list[Job]:
        now[0] += 60
        caretaker.tick()
        return [each.job for each in works]

    slow.wants = last.wants = True
    assert look() == [slow.job]
    assert look() == [slow.job]
    first.wants = True
    assert look() == ([slow.job, first.job] if gives_way else [slow.job])
    assert works[0].stopped == gives_way
