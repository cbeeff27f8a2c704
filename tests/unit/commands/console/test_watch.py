"""When tasks are looked at: by one clock for all tabs, seldom while none is open, and one look at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from processor.commands.console import watch
from processor.commands.console.known import Known
from processor.commands.console.watch import Watch
from tests.fakes.patience import until
from tests.unit.commands.console.looks import known


class FakeTask:
    """Counts looks and glances."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def _do(self, what: str) -> Known:
        self.done.append(what)
        assert self.may_go_on.wait(60)
        return known()

    def look(self) -> Known:
        """All of it."""
        return self._do("look")

    def glance(self) -> Known:
        """Its leases."""
        return self._do("glance")


class Stage:
    """A watch of one task, with a clock that is set, and tabs that are counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watch, "_TURN_SECONDS", 0.001)
        monkeypatch.setattr(watch, "_IDLE_TURN_SECONDS", 0.001)
        self.now = 0.0
        self.tabs = 0
        self.task = FakeTask()
        self.turns = 0
        self.published: list[Known] = []
        self.fault: Exception | None = None
        self.watch = Watch(
            [self.task],  # type: ignore[list-item]  # it does what a TaskWatch does
            interval_seconds=10,
            tabs=self._count,
            opened=threading.Event(),
            follow=self._follow,
            clock=lambda: self.now,
        )
        self.watch.start(self.published.append)

    def _count(self) -> int:
        self.turns += 1
        return self.tabs

    def _follow(self) -> None:
        if self.fault is not None:
            raise self.fault

    def after(self, seconds: float) -> list[str]:
        """What was done so much later, when the watch has had its turns."""
        before = len(self.task.done)
        self.now += seconds
        self.settle()
        return self.task.done[before:]

    def begin(self, seconds: float) -> None:
        """What is due so much later begins, and takes until ``may_go_on``."""
        before = len(self.task.done)
        self.task.may_go_on.clear()
        self.now += seconds
        until(lambda: len(self.task.done) == before + 1, "a look or glance")

    def settle(self) -> None:
        """Until a whole turn has begun after now, and what it began is through."""
        turns = self.turns
        until(lambda: self.turns > turns + 2, "turns")
        until(lambda: not self.watch._turns[0]._busy, "looks")


@pytest.fixture
def make_stage(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stages that end with the test."""
    made: list[Stage] = []

    def make() -> Stage:
        made.append(Stage(monkeypatch))
        return made[-1]

    yield make
    for stage in made:
        stage.task.may_go_on.set()
        stage.watch.stop(stage.published.append, looks_again=False)


def test_while_nobody_reads_there_is_a_look_a_minute(make_stage: Callable[[], Stage]) -> None:
    """So that whoever opens a tab sees what was."""
    stage = make_stage()
    stage.settle()
    assert stage.task.done == ["look"]
    assert [stage.after(20) for _ in range(6)] == [[], [], ["look"], [], [], ["look"]]


def test_while_somebody_reads_a_look_each_interval_and_glances_between(make_stage: Callable[[], Stage]) -> None:
    """However many tabs: the times are the watch's own."""
    stage = make_stage()
    stage.settle()
    for tabs in (1, 100):
        stage.tabs = tabs
        stage.after(10)
        assert [stage.after(2) for _ in range(5)] == [["glance"], ["glance"], ["glance"], ["glance"], ["look"]]


def test_no_fault_of_following_files_ends_the_looks(
    make_stage: Callable[[], Stage], capsys: pytest.CaptureFixture[str]
) -> None:
    """The page goes on with the tasks that it has; the fault is said once."""
    stage = make_stage()
    stage.settle()
    stage.fault = RuntimeError("links that go round")
    assert [stage.after(60) for _ in range(3)] == 3 * [["look"]]
    assert capsys.readouterr().err.count("links that go round") == 1


def test_a_look_that_takes_long_is_the_only_one(make_stage: Callable[[], Stage]) -> None:
    """The next begins when it is through."""
    stage = make_stage()
    stage.settle()
    stage.tabs = 1
    stage.begin(10)
    stage.now += 100
    turns = stage.turns
    until(lambda: stage.turns > turns + 3, "turns")
    assert len(stage.task.done) == 2
    stage.task.may_go_on.set()
    stage.settle()
    assert stage.task.done[2:] == ["look"]


def test_the_last_look_is_for_whoever_reads(make_stage: Callable[[], Stage]) -> None:
    """At an end that asks for one."""
    stage = make_stage()
    stage.settle()
    stage.tabs = 1
    stage.watch.stop(stage.published.append, looks_again=True)
    assert stage.task.done == ["look", "look"]


def test_the_last_look_comes_after_what_is_just_being_done(make_stage: Callable[[], Stage]) -> None:
    """A glance that began before it would show tabs what was, as the last they see."""
    stage = make_stage()
    stage.settle()
    stage.tabs = 1
    stage.begin(2)
    assert stage.task.done == ["look", "glance"]
    ending = threading.Thread(target=lambda: stage.watch.stop(stage.published.append, looks_again=True))
    ending.start()
    until(lambda: stage.watch._pool._work_queue.empty() and len(stage.watch._pool._threads) == 2, "the last look")
    assert stage.task.done == ["look", "glance"]
    stage.task.may_go_on.set()
    ending.join()
    assert stage.task.done == ["look", "glance", "look"]
