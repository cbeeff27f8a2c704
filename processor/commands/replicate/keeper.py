"""Keeps a daemon's tasks: sees which files there are and what is in them, and has a task run for each.

It speaks with the daemon by lines (``Tasks.java`` has the words): the end of its input is its own.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO
from urllib.parse import quote, unquote

from processor.commands.replicate.kept_task import KeptTask, NumberedRun
from processor.errors import UsageError
from processor.reporting.logs import Log
from processor.settings import named_task
from processor.settings.named_task import NamedTask
from processor.settings.process_settings import ProcessSettings
from processor.settings.task_file import TaskFile
from processor.settings.task_watch import TaskWatch
from processor.startup import neighbours
from processor.system import cores

# The files' sizes and times are looked at after this time.
LOOK_SECONDS = 0.5
# Tasks that are looked at side by side, for each core: a start's checks take CPU as well as time.
LOOKS_PER_CORE = 4


class _Adopted(NamedTuple):
    file: str
    run: NumberedRun


class Keeper:
    """Sees that a task runs for each file. One thread owns all that it knows.

    :param watch: knows the files
    :param process: the settings that all tasks have in common
    :param worker_id: of all tasks of this daemon
    :param answers: what is said to the daemon
    """

    def __init__(self, watch: TaskWatch, process: ProcessSettings, *, worker_id: str, answers: TextIO) -> None:
        self.worker_id = worker_id
        self._watch = watch
        self._process = process
        self._answers = answers
        self._saying = threading.Lock()
        self._numbers = itertools.count(1)
        self._looking = threading.Semaphore(LOOKS_PER_CORE * cores.available())
        self._heard: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        self._tasks: dict[str, KeptTask] = {}
        self._wanted: dict[str, NamedTask] = {}
        self._leaving: list[KeptTask] = []
        self._adopted: dict[int, _Adopted] = {}
        self._log = Log()
        self._unreadable = ""
        self._found: list[NamedTask] | None = None
        self._fault: tuple[str, str | None] | None = None

    def new_number(self) -> int:
        """For a run of a task, in what is said of it."""
        with self._saying:
            return next(self._numbers)

    def start(self, name: str, run: NumberedRun, file: str) -> None:
        """Have the daemon begin a task."""
        self._say("start", run.number, quote(name), quote(str(run.properties)), quote(file))

    def stop(self, number: int) -> None:
        """Have the daemon end a task."""
        self._say("stop", number)

    def _say(self, *words: object) -> None:
        with self._saying, suppress(BrokenPipeError):  # the daemon has ended, and so does this process
            self._answers.write(" ".join(map(str, words)) + "\n")
            self._answers.flush()

    def serve(self, lines: Iterable[str]) -> None:
        """Do so until the daemon's end."""
        for line in lines:
            self._heard.put(line.split())
            if line.split() == ["begin"]:
                threading.Thread(target=self._keep, name="files", daemon=True).start()
        self._heard.put(None)

    def _keep(self) -> None:
        """All that runs already is known before the first look."""
        while True:
            try:
                words = self._heard.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._do(self._look, "The tasks' files can't be looked at. It is tried again and again")
                continue
            if words is None:
                return
            self._do(partial(self._hear, *words), "The daemon's words are passed over", line=" ".join(words))

    def _do(self, work: Callable[[], None], note: str, *, line: str | None = None) -> None:
        """The thread that keeps all tasks must not end by it."""
        try:
            work()
        except Exception as exc:  # noqa: BLE001  # see above
            fault = (repr(exc), line)
            if fault != self._fault:  # once for as long as it is the same: files are looked at twice a second
                note = f"BUG: {note}; tasks that run go on. Please report it."
                self._log.error("thread_failed", thread="files", error=repr(exc), line=line, note=note)
            self._fault = fault

    def _hear(self, word: str, *rest: str) -> None:
        if word == "running":
            run = NumberedRun(int(rest[0]), Path(unquote(rest[1])))
            self._adopted[run.number] = _Adopted(unquote(rest[2]), run)
        elif word == "ended":
            number, status = map(int, rest)
            self._adopted.pop(number, None)
            for task in [*self._tasks.values(), *self._leaving]:
                task.ended(number, status)
        elif word == "begin":
            self._look(at_once=True)
        elif word == "reload":
            self._log.notice("reload", note="Files are read, and tasks that wait are tried again.")
            self._look(at_once=True)
            for task in self._tasks.values():
                task.hurry()

    def _look(self, *, at_once: bool = False) -> None:
        self._leaving = [task for task in self._leaving if not task.is_over]
        try:
            found = self._watch.look(at_once=at_once)
        except UsageError as exc:
            if str(exc) != self._unreadable:
                self._unreadable = str(exc)
                note = f"{exc} The tasks that run go on. It is looked at again and again."
                self._log.error("tasks_unreadable", note=note)
            return
        if self._unreadable:
            self._unreadable = ""
            self._log.notice("tasks_readable", note="The tasks' files can be read again.")
        self._found = found if found is not None else self._found  # what was left by a fault is not told again
        if self._found is not None:
            kept = {*self._tasks, *(each.file for each in self._adopted.values())}
            checked = neighbours.with_findings(self._found, warnings=False, process=self._process)
            self._wanted = {task.file.path: task for task in named_task.in_directions(checked, kept=kept)}
            self._adopt()
            self._end_those_without_a_file()
            self._found = None
        self._begin_or_change()

    def _adopt(self) -> None:
        """A keeper before this one began them, and has ended; its tasks run on."""
        while self._adopted:
            number, (file, run) = self._adopted.popitem()
            self._numbers = itertools.count(max(number + 1, next(self._numbers)))
            task = self._new(file)
            task.adopt(run)
            if file in self._wanted:
                task.want(self._wanted[file])
            task.begin()

    def _new(self, file: str) -> KeptTask:
        task = self._tasks[file] = KeptTask(TaskFile(path=file), self, looking=self._looking)
        return task

    def _end_those_without_a_file(self) -> None:
        for path in [path for path in self._tasks if path not in self._wanted]:
            task = self._tasks.pop(path)
            task.end()
            self._leaving.append(task)
            why = "Its file is gone" if TaskFile(path=path).own_path not in self._wanted else "twoWay is true no more"
            note = f"{why}: the task is ended, and its leases are given back."
            self._log.notice("task_removed", task=task.name, file=path, note=note)
            if not self._tasks and not self._wanted:
                note = "There is no task any more. Nothing is replicated until there is a file again."
                self._log.warning("no_tasks", note=note)

    def _begin_or_change(self) -> None:
        for path, task in self._wanted.items():
            if path in self._tasks:
                self._tasks[path].want(task)
            elif not any(leaving.has_place_of(task) for leaving in self._leaving):
                kept = self._new(path)
                kept.want(task)
                kept.begin()
