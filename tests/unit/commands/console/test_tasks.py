"""The page's tasks follow their files; one that stays as it is keeps what is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.commands.console.tasks import Tasks
from processor.commands.console.watch import TaskWatch
from processor.errors import UsageError
from processor.settings import task_files
from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile
from processor.settings.task_watch import TaskWatch as Files
from processor.state.status.letters import LettersFound
from tests.fakes.task import tasks

SECOND = 1.0


class Stage:
    """A directory, and the page's tasks, with a clock that is set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        files = Files(self._find, self._load, clock=lambda: self.now)
        self.tasks = Tasks(self._named(), files=files, make=_make)

    def _find(self) -> list[TaskFile]:
        return task_files.list_files([str(self.folder)]) if self.folder.exists() else self._gone()

    def _gone(self) -> list[TaskFile]:
        raise UsageError("Directory conf: is gone. Nothing was done.")

    def _named(self) -> list[NamedTask]:
        return [self._load(file) for file in self._find()]

    def _load(self, file: TaskFile) -> NamedTask:
        written = file.read()
        return NamedTask(file=file, settings=tasks.task(**written.own), places={})

    def write(self, name: str, text: str) -> None:
        """One task's file."""
        (self.folder / f"{name}.properties").write_text(f"{text}\n")

    def follow(self) -> list[str] | None:
        """What there is when files have been the same for a moment; None if that is what was."""
        changed = self.tasks.follow()
        self.now += 2 * SECOND
        found = self.tasks.follow()
        return None if changed is found is None else [each.known.topic for each in self.tasks.watches]


def _make(topic: str, task: NamedTask) -> TaskWatch:
    return TaskWatch(topic, task, letters=_no_letters, interval_seconds=10, max_lag_seconds=60)


def _no_letters(_: object) -> LettersFound | None:
    return None


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """One with two tasks."""
    folder = tmp_path / "conf"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.properties").write_text(f"sourceTable=table-{name}\n")
    return Stage(folder)


def test_what_comes_changes_and_goes(stage: Stage) -> None:
    """Nothing is made anew of a task that stays as it is."""
    assert list(stage.tasks.known) == ["a", "b"]
    assert stage.follow() is None
    first, second = stage.tasks.watches
    stage.write("c", "sourceTable=table-c")
    assert stage.follow() == ["a", "b", "c"]
    assert stage.tasks.watches[:2] == [first, second]
    stage.write("a", "sourceTable=another")
    assert stage.follow() == ["a", "b", "c"]
    assert stage.tasks.watches[0] is not first
    assert stage.tasks.watches[1] is second
    (stage.folder / "b.properties").unlink()
    assert stage.follow() == ["a", "c"]
    assert stage.follow() is None


def test_a_task_that_becomes_two_way_has_two_pages(stage: Stage) -> None:
    """A page for each direction, as at the start."""
    stage.write("a", "sourceTable=table-a\ntwoWay=true")
    assert stage.follow() == ["a", "a-Uplink", "b"]
    stage.write("a", "sourceTable=table-a")
    assert stage.follow() == ["a", "b"]


def test_a_directory_that_is_gone_is_said_once(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The tasks that there were stay on the page."""
    elsewhere = stage.folder.rename(stage.folder.with_name("elsewhere"))
    assert [stage.follow() for _ in range(3)] == [None, None, None]
    assert capsys.readouterr().err.count("is gone. Nothing was done. The page shows the tasks that there were") == 1
    assert list(stage.tasks.known) == ["a", "b"]
    elsewhere.rename(stage.folder)
    stage.write("c", "sourceTable=table-c")
    assert stage.follow() == ["a", "b", "c"]


def test_a_task_without_a_file_is_followed_by_nobody() -> None:
    """Settings on the command line don't change."""
    named = [NamedTask(file=TaskFile(path=""), settings=tasks.task(), places={})]
    found = Tasks(named, files=None, make=_make)
    assert list(found.known) == ["task"]
    assert found.follow() is None
