"""When a task's file counts as another."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from processor.settings import task_files
from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile
from processor.settings.task_watch import CUT_SECONDS, SETTLED_SECONDS, TaskWatch


class Conf:
    """A directory that is looked at, and a clock that only the test moves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.read: list[str] = []
        self.watch = TaskWatch(lambda: task_files.list_files([str(path)]), self._load, clock=lambda: self.now)

    def _load(self, file: TaskFile) -> NamedTask:
        self.read.append(file.name)
        return NamedTask(file=file, error=Path(file.path).read_text(), places={})

    def write(self, name: str, text: str) -> None:
        """A file, whole or in part."""
        (self.path / name).write_text(text)

    def look(self, seconds: float = 0.0, *, at_once: bool = False) -> dict[str, str] | None:
        """What each task's file has; None if nothing is other than before."""
        self.now += seconds
        tasks = self.watch.look(at_once=at_once)
        return None if tasks is None else {task.file.name: task.error for task in tasks}


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    """With two tasks that have been read."""
    made = Conf(tmp_path)
    made.write("a.properties", "a\n")
    made.write("b.properties", "b\n")
    assert made.look(at_once=True) == {"a": "a\n", "b": "b\n"}
    made.read.clear()
    return made


def test_nothing_is_read_while_nothing_changes(conf: Conf) -> None:
    """However often it is looked at."""
    assert [conf.look(1) for _ in range(5)] == 5 * [None]
    assert conf.read == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda conf: conf.write("c.properties", "c\n"), {"a": "a\n", "b": "b\n", "c": "c\n"}),
        (lambda conf: conf.write("a.properties", "other\n"), {"a": "other\n", "b": "b\n"}),
        (lambda conf: (conf.path / "a.properties").unlink(), {"b": "b\n"}),
        (lambda conf: (conf.path / "a.properties").rename(conf.path / "c.properties"), {"b": "b\n", "c": "a\n"}),
        (lambda conf: [path.unlink() for path in conf.path.iterdir()], {}),
        (lambda conf: conf.write("common.properties", "c\n"), {"a": "a\n", "b": "b\n"}),
    ],
)
def test_a_file_that_comes_changes_or_goes(change: Callable[[Conf], object], found: dict[str, str], conf: Conf) -> None:
    """It is one thing at a time, seen when it has been the same for a moment; no other is read."""
    change(conf)
    assert conf.look() is None
    assert conf.look(SETTLED_SECONDS / 2) is None
    assert conf.look(SETTLED_SECONDS / 2) == found
    assert conf.look(SETTLED_SECONDS) is None
    assert set(conf.read) <= {"a", "c"} or (conf.path / "common.properties").exists()


def test_one_that_changes_again_waits(conf: Conf) -> None:
    """A file is read when its writer is through; others don't wait for it."""
    for text in ("1\n", "12\n", "123\n"):
        conf.write("a.properties", text)
        if text == "12\n":
            conf.write("b.properties", "through\n")
        assert conf.look(SETTLED_SECONDS * 0.6) in (None, {"a": "a\n", "b": "through\n"})
    assert conf.read in ([], ["b"])
    conf.look(SETTLED_SECONDS)
    assert sorted(conf.read) == ["a", "b"]


@pytest.mark.parametrize("text", ["", "sourceTable=or"])
def test_one_that_is_empty_or_cut_waits_longer(text: str, conf: Conf) -> None:
    """As a writer leaves it that is held up; but not for ever, for some editors end no line."""
    conf.write("a.properties", text)
    conf.look()
    assert conf.look(SETTLED_SECONDS) is None
    assert conf.look(CUT_SECONDS) == {"a": text, "b": "b\n"}


def test_one_that_is_away_for_a_moment_has_not_gone(conf: Conf) -> None:
    """Editors rename the old file away before they write the new one."""
    (conf.path / "a.properties").rename(conf.path / "a.properties~")
    assert conf.look() is None
    assert conf.look(SETTLED_SECONDS / 2) is None
    (conf.path / "a.properties~").rename(conf.path / "a.properties")
    conf.look()
    conf.look(SETTLED_SECONDS)
    assert conf.look(SETTLED_SECONDS) is None


def test_on_demand_files_are_read_at_once(conf: Conf) -> None:
    """As SIGHUP asks for."""
    conf.write("a.properties", "other\n")
    assert conf.look(at_once=True) == {"a": "other\n", "b": "b\n"}


def test_a_common_file_that_goes_ends_no_task(conf: Conf) -> None:
    """Each task is another then, under the same path; one whose end is cut is taken later than the others."""
    conf.write("a.properties", "cut")
    conf.write("common.properties", "c\n")
    conf.look()
    conf.look(CUT_SECONDS)
    (conf.path / "common.properties").unlink()
    seen = [conf.look(SETTLED_SECONDS / 2) for _ in range(10)]
    assert [set(found) for found in seen if found is not None] == 2 * [{"a", "b"}]


def test_kubernetes_turns_a_link(tmp_path: Path) -> None:
    """A ConfigMap's files are links through ..data, which leads to a new folder at a stroke."""
    for version in ("1", "2"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "a.properties").write_text(f"{version}\n")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.properties").symlink_to("..data/a.properties")
    conf = Conf(tmp_path)
    assert conf.look(at_once=True) == {"a": "1\n"}
    (tmp_path / "..new").symlink_to("..2")
    os.replace(tmp_path / "..new", tmp_path / "..data")  # noqa: PTH105  # as the kubelet does
    conf.look()
    assert conf.look(SETTLED_SECONDS) == {"a": "2\n"}
