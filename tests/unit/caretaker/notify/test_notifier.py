"""Messages are sent beside the looks, by a thread that waits for the receiver, and nobody waits for that thread."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest

from processor.caretaker.duty import Standing
from processor.caretaker.lock import CareLock
from processor.caretaker.notify import notice, notifier
from processor.caretaker.notify.change import SETTLED_SECONDS
from processor.caretaker.notify.notice import Notice
from processor.caretaker.notify.notifier import Notifier
from processor.errors import UnavailableError
from processor.reporting import logs
from processor.reporting.logs import Log
from processor.state.care_row import CareRow
from processor.state.holds import Hold
from tests.fakes.patience import until
from tests.fakes.task import tasks
from tests.unit.commands.console.looks import known

HOLD = Hold(kind="hold", shard_id="shardId-1", since_ms=0, seen_ms=0, sequence_number="500", reason="refused")


class Receiver:
    """Keeps messages; or is away, or hangs."""

    def __init__(self) -> None:
        self.taken: list[Notice] = []
        self.tries = 0
        self.is_away = False
        self.answers = threading.Event()
        self.answers.set()

    def __call__(self, message: Notice) -> None:
        """Take one."""
        self.tries += 1
        assert self.answers.wait(60)
        if self.is_away:
            raise UnavailableError("POST to https://hooks.example.com: it answers 503", code="HTTP 503")
        self.taken.append(message)

    @property
    def events(self) -> list[str]:
        """Of all messages."""
        return [message.event for message in self.taken]


class Stage:
    """A task's caretakers, one after the other, with one row; and a clock that is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.receiver = Receiver()
        self.row = CareRow(holder="one")
        self.notes = 0
        self.pause = threading.Semaphore(0)
        self._made: list[Notifier] = []
        self.notifier = self.make()

    def make(self) -> Notifier:
        """Another process's."""
        made = Notifier(self.receiver, to="there", log=Log(), clock=lambda: self.now, sleep=lambda _: self._sleep())
        self._made.append(made)
        return made

    def end(self) -> None:
        """Nobody looks any more, and the receiver answers."""
        self.receiver.answers.set()
        self.receiver.is_away = False
        self.pause.release(1000)
        for each in self._made:
            each._woken.set()  # for a thread that waits by the STALE_SECONDS of before
            until(lambda each=each: each._thread is None, "the thread's end")

    def _sleep(self) -> None:
        assert self.pause.acquire(timeout=60)

    def note(self, **parts: Any) -> CareRow:
        """As ``CareLock`` does."""
        self.notes += 1
        self.row = msgspec.structs.replace(self.row, **parts)
        return self.row

    def look(self, *, held: bool = False, seconds: float = 10) -> None:
        """One look, so much later."""
        self.now += seconds
        report = known(holds=[HOLD] if held else []).found.report
        assert report is not None
        standing = Standing(
            settings=tasks.task(), report=report, seen=cast("Any", None), care=self.row, copy=None, at=self.now
        )
        self.notifier.see(standing, cast("CareLock", self))

    def settle(self) -> None:
        """It is well, and that is told and noted."""
        self.look()
        self.look(seconds=SETTLED_SECONDS)
        until(lambda: self.receiver.events == ["inSync"], "the first message")
        until(lambda: self.notifier._unnoted is not None or self.row.notified, "its arrival")
        self.look()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """One, whose notifiers' threads end."""
    made = Stage()
    yield made
    monkeypatch.setattr(notifier, "STALE_SECONDS", 0.01)
    made.end()


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What is logged."""
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    logs.configure()


def test_a_change_is_told_and_then_noted(stage: Stage) -> None:
    """In the row, by which the next one knows."""
    stage.settle()
    assert stage.row.notified["health"] == "inSync"
    assert "https" not in str(stage.row.notified)
    stage.look(held=True)
    until(lambda: stage.receiver.events == ["inSync", "held"], "the message")
    until(lambda: stage.notifier._unnoted is not None, "its arrival")
    notes = stage.notes
    stage.look(held=True)
    stage.look(held=True)
    assert (stage.notes, stage.row.notified["number"]) == (notes + 1, 2)


def test_a_look_waits_for_no_receiver(stage: Stage) -> None:
    """One that hangs, for as long as it likes."""
    stage.settle()
    stage.receiver.answers.clear()
    for _ in range(100):
        stage.look(held=True)
    until(lambda: stage.receiver.tries == 2, "a try")
    assert stage.receiver.events == ["inSync"]


def test_a_receiver_that_is_back_is_told_the_newest(stage: Stage, said: io.StringIO) -> None:
    """Once, and not what was in between; that it was away is said once, and that it is back."""
    stage.settle()
    stage.receiver.is_away = True
    stage.look(held=True)
    until(lambda: stage.receiver.tries == 2, "a try")
    for number in range(3, 8):
        stage.pause.release()
        until(lambda: stage.receiver.tries == number, "another")  # noqa: B023
    stage.look(seconds=60)
    stage.look(seconds=SETTLED_SECONDS)
    stage.look(held=True, seconds=60)
    stage.receiver.is_away = False
    stage.pause.release()
    until(lambda: len(stage.receiver.taken) == 2, "the message")
    assert stage.receiver.events == ["inSync", "held"]
    assert stage.receiver.taken[-1].changes_not_told == 2
    assert said.getvalue().count(" WARNING notice_not_sent ") == 1


def test_what_is_well_again_before_the_receiver_is_back_is_not_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to do anything."""
    monkeypatch.setattr(notifier, "STALE_SECONDS", 0.2)
    stage.settle()
    stage.receiver.is_away = True
    stage.look(held=True)
    until(lambda: stage.receiver.tries == 2, "a try")
    stage.look()
    stage.receiver.is_away = False
    stage.pause.release()
    until(lambda: stage.notifier._thread is None, "the thread's end")
    stage.look(seconds=60)
    until(lambda: stage.notifier._thread is None, "the thread's end")
    assert (stage.receiver.events, stage.receiver.tries) == (["inSync"], 2)


def test_another_caretaker_goes_on(stage: Stage) -> None:
    """By the row: nothing twice, and what happened in between is told."""
    stage.settle()
    stage.notifier = stage.make()
    stage.row = msgspec.structs.replace(stage.row, holder="two")
    stage.look()
    stage.look(seconds=600)
    stage.look(held=True)
    until(lambda: stage.receiver.events == ["inSync", "held"], "the message")
    assert [message.number for message in stage.receiver.taken] == [1, 2]


def test_who_gets_the_lock_back_goes_on_after_what_others_told(stage: Stage) -> None:
    """This process's memory of what it told is not the last word."""
    stage.settle()
    told_by_other = stage.row.notified | {"number": 9, "health": "held", "findings": ["shard-held"], "held": 1}
    stage.row = CareRow(holder="again", notified=told_by_other)
    stage.look(held=True)
    stage.look(held=True, seconds=600)
    stage.look(seconds=10)
    stage.look(seconds=SETTLED_SECONDS)
    until(lambda: len(stage.receiver.taken) == 2, "the message")
    assert (stage.receiver.taken[-1].event, stage.receiver.taken[-1].number) == ("recovered", 10)


def test_what_was_seen_long_ago_is_told_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock was lost meanwhile, and another caretaker tells; the thread ends, and another begins with a look."""
    monkeypatch.setattr(notifier, "STALE_SECONDS", 0.2)
    stage.settle()
    stage.receiver.is_away = True
    stage.look(held=True)
    until(lambda: stage.receiver.tries == 2, "a try")
    stage.now += 1
    stage.receiver.is_away = False
    stage.pause.release()
    until(lambda: stage.notifier._thread is None, "the thread's end")
    assert stage.receiver.events == ["inSync"]
    stage.look(held=True)
    until(lambda: stage.receiver.events == ["inSync", "held"], "the message")


def test_a_bug_is_said_without_its_words(stage: Stage, said: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have what must not be said; the next look is another try."""
    stage.settle()

    def broken(*_: object) -> None:
        raise RuntimeError("https://hooks.example.com/S3CR3T")

    with monkeypatch.context() as patch:
        patch.setattr(notice, "of", broken)
        stage.look(held=True)
        until(lambda: "notice_failed" in said.getvalue(), "the message")
    assert "S3CR3T" not in said.getvalue()
    stage.look(held=True)
    until(lambda: stage.receiver.events == ["inSync", "held"], "the message")
