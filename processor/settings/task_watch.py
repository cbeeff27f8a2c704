"""Sees tasks' files appear, change and go. Each is read once it has been the same for a moment.

Editors and scripts write a file in several steps, and some take it away in between: so a file counts as changed, or
gone, when it has been the same for a second. One that is empty, or ends in the middle of a line, is given longer. A
link counts as what it leads to: Kubernetes changes a ConfigMap's files by turning one link of their directory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile

# A file's size and times must have been the same for so long; the whole of a start has 5 s (docs/many.md).
SETTLED_SECONDS = 1.0
# The same for one that is empty or ends without the end of a line, as a file does whose writer is not through.
CUT_SECONDS = 3.0

_Stat = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells one state of a task's files from another, without reading them.

    :param own: of the task's file; None if there is none
    :param common: of the file that it inherits
    """

    own: _Stat
    common: _Stat


_GONE = _Mark(None, None)


@dataclass(slots=True)
class _Sight:
    mark: _Mark
    since: float


class TaskWatch:
    """The tasks of the files that there are, as they were when each was last whole.

    :param find: all files that there are now
    :param load: reads one
    """

    def __init__(
        self,
        find: Callable[[], Sequence[TaskFile]],
        load: Callable[[TaskFile], NamedTask],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._load = load
        self._clock = clock
        self._sights: dict[TaskFile, _Sight] = {}
        self._read: dict[TaskFile, _Mark] = {}
        self._tasks: dict[str, NamedTask] = {}

    def look(self, *, at_once: bool = False) -> list[NamedTask] | None:
        """All tasks, if one of them is another than at the last look, or has come or gone; else None.

        :param at_once: files are read as they are
        :raises UsageError: a directory can't be listed
        """
        found = {file: _Mark(_stat(file.path), _stat(file.common)) for file in self._find()}
        now = self._clock()
        changed = False
        there = {
            file.path for file, mark in found.items() if mark.own
        }  # one that inherits another file than before is another, of the same path
        for file in [*found, *(file for file in self._read if file not in found)]:
            mark = found.get(file, _GONE)
            if mark.own is None:
                mark = _GONE
            sight = self._sights.setdefault(file, _Sight(mark, now))
            if sight.mark != mark:
                sight.mark, sight.since = mark, now
            if mark != self._read.get(file, _GONE) and (at_once or now - sight.since >= _wait_seconds(file, mark)):
                self._take(file, mark, there)
                changed = True
        self._sights = {file: sight for file, sight in self._sights.items() if file in found or file in self._read}
        return list(self._tasks.values()) if changed else None

    def _take(self, file: TaskFile, mark: _Mark, there: Container[str]) -> None:
        if mark.own is not None:
            self._read[file] = mark
            self._tasks[file.path] = self._load(file)
            return
        self._read.pop(file, None)
        if file.path not in there:
            self._tasks.pop(file.path, None)


def _stat(path: str | None) -> _Stat:
    if path is None:
        return None
    try:
        found = os.stat(path)  # noqa: PTH116  # it is done for each file twice a second, and a Path costs more than the call
    except FileNotFoundError:
        return None
    except OSError as exc:
        return (exc.errno or 0,)
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev


def _wait_seconds(file: TaskFile, mark: _Mark) -> float:
    is_cut = any(_is_cut(path) for path, stat in ((file.path, mark.own), (file.common, mark.common)) if path and stat)
    return CUT_SECONDS if is_cut else SETTLED_SECONDS


def _is_cut(path: str) -> bool:
    try:
        if not Path(path).is_file():
            return False  # opening a named pipe waits for somebody who writes
        with Path(path).open("rb") as text:
            size = text.seek(0, os.SEEK_END)
            text.seek(max(0, size - 1))
            return text.read(1) not in (b"\n", b"\r")
    except OSError:
        return False  # reading it will say so
