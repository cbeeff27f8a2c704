"""One caretaker of a fleet works for a task; another takes over when it is over, and not before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from processor.caretaker import lock as care_lock
from processor.caretaker.lock import BEAT_SECONDS, TERM_SECONDS, WATCH_SECONDS, CareLock
from processor.errors import CareTakenError, ConditionFailedError, UnavailableError
from processor.state import care_row, task_row
from processor.system import process_name
from tests import ended_threads
from tests.fakes.clock import Clock
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.unit.state.test_task_row import TABLE, TASK

ELSEWHERE = "elsewhere/1/boot/pid:[1]"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """DynamoDB with a task table; no caretaker beats by itself, and all are on another machine."""
    monkeypatch.setattr(care_lock, "BEAT_SECONDS", 1e6)
    monkeypatch.setattr(process_name, "here", lambda: ELSEWHERE)
    monkeypatch.setattr(process_name, "is_gone", lambda _: False)
    with mock_aws():
        made = boto3.client("dynamodb", region_name="eu-west-1")
        task_row.write(made, TABLE, TASK, before=None)
        yield made


@pytest.fixture
def clock() -> Clock:
    """One for all."""
    return Clock()


@pytest.fixture
def make(client: Any, clock: Clock) -> Iterator[Callable[[], CareLock]]:
    """Locks of caretakers, which leave in the end."""
    made: list[CareLock] = []

    def lock() -> CareLock:
        made.append(CareLock(lambda: client, TABLE, clock=clock, wall=clock))
        return made[-1]

    yield lock
    for each in made:
        each.leave()


def test_it_is_held_by_one(make: Callable[[], CareLock]) -> None:
    """The second waits, however often it asks."""
    first, second = make(), make()
    assert first.seek()
    assert first.seek()
    assert not any(second.seek() for _ in range(3))


def test_one_that_stands_still_loses_it(make: Callable[[], CareLock], clock: Clock, client: Any) -> None:
    """Its term is over before another takes over; what it would write then is refused."""
    first, second = make(), make()
    assert first.seek()
    assert not second.seek()
    clock.now += TERM_SECONDS
    assert not first.is_held
    assert not second.seek()
    clock.now += WATCH_SECONDS - TERM_SECONDS
    assert second.seek()
    with pytest.raises(CareTakenError):
        first.note(phase="created")
    second.note(phase="copying")
    found = care_row.read(client, TABLE)
    assert found is not None
    assert found.phase == "copying"


def test_a_beat_keeps_it(make: Callable[[], CareLock], clock: Clock, client: Any) -> None:
    """Whoever sees the row move goes on waiting."""
    first, second = make(), make()
    assert first.seek()
    holder = first.row.holder
    for _ in range(10):
        assert not second.seek()
        clock.now += WATCH_SECONDS - BEAT_SECONDS
        care_row.beat(client, TABLE, holder=holder, now_ms=1)


def test_one_whose_process_is_gone_is_followed_at_once(
    make: Callable[[], CareLock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the same machine that can be seen."""
    assert make().seek()
    monkeypatch.setattr(process_name, "is_gone", lambda process: process == ELSEWHERE)
    assert make().seek()


def test_one_that_leaves_is_followed_at_once(make: Callable[[], CareLock]) -> None:
    """As on a clean stop."""
    first, second = make(), make()
    assert first.seek()
    first.leave()
    assert not first.is_held
    assert second.seek()


def test_one_that_leaves_after_its_term_beats_no_more(
    make: Callable[[], CareLock], clock: Clock, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table was away for that long; whoever waits takes over by the row that stands still."""

    def away(*_: object, **__: object) -> None:
        raise UnavailableError("fake: no answer", code="ReadTimeoutError")

    monkeypatch.setattr(care_lock, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(care_row, "beat", away)
    before = set(threading.enumerate())
    first, second = make(), make()
    assert first.seek()
    clock.now += TERM_SECONDS
    first.leave()
    assert ended_threads.left(before) == ""
    found = care_row.read(client, TABLE)
    assert found is not None
    assert found.holder
    assert not second.seek()
    clock.now += WATCH_SECONDS
    assert second.seek()


def test_a_start_decides_once(client: Any) -> None:
    """Of two at the same time one is refused, and a late one writes over nothing."""
    before = care_row.read(client, TABLE)
    care_row.begin(client, TABLE, "created", before=before, now_ms=1, copy_after_ms=1)
    with pytest.raises(ConditionFailedError):
        care_row.begin(client, TABLE, "created", before=before, now_ms=2, copy_after_ms=2)
    found = care_row.read(client, TABLE)
    assert found is not None
    assert (found.phase, found.copy_after_ms) == ("created", 1)


class Remembering(CareLock):
    """Remembers each row that it knew."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.rows: list[care_row.CareRow] = []
        super().__init__(*given, **named)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_row" and value is not None:
            self.rows.append(value)


def test_an_older_answer_replaces_no_newer_row(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the beat's and a note's answer is understood later, the row is that of the later write."""
    beat, beaten, noted = care_row.beat, threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Any:
        row = beat(*given, **named)
        beaten.set()
        noted.wait(0.3)  # as long as a thread may take to go on
        return row

    monkeypatch.setattr(care_row, "beat", slow)
    monkeypatch.setattr(care_lock, "BEAT_SECONDS", 0.01)
    lock = Remembering(lambda: client, TABLE)
    assert lock.seek()
    assert beaten.wait(PATIENCE_SECONDS)
    monkeypatch.setattr(care_lock, "BEAT_SECONDS", 1e6)
    lock.note(lost_ms=7)
    noted.set()
    until(lambda: len(lock.rows) >= 3, "the row as it was taken, beaten and noted")
    assert lock.rows[2].lost_ms == 7
    lock.leave()
