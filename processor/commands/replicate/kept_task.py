"""One task of a daemon of many: made ready, begun, ended, and begun again, for as long as its file is there.

::

    settings ─▶ looked at until all is ready ─▶ begun ─▶ it ended by itself ─▶ a pause ─▶ looked at again
       ▲                       └─ a person must put something right ─▶ a pause ─┘             │
       └──── its settings have changed: whatever it is at is ended ──────────────────────────┘
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from processor.aws.clients import Clients
from processor.commands.replicate import finished_copy
from processor.commands.replicate.command import Readiness, look_at, write_files
from processor.errors import NotReadyError, ReplicatorError
from processor.flow import shapes
from processor.flow.retry_policy import TASK, Backoff
from processor.reporting.findings import Finding
from processor.reporting.logs import Log
from processor.settings.daemon_files import SETTINGS_FILE
from processor.settings.named_task import NamedTask
from processor.settings.settings import Settings
from processor.settings.task_file import TaskFile
from processor.startup.preflight import PreflightReport
from processor.startup.slot import Slot, claim_slot
from processor.system import private_files

# A task that has run for so long is begun again at once after its end, as if it were the first time.
STEADY_SECONDS = 600.0
# The same is said again after this time, for whoever reads the log only now.
SAID_AGAIN_SECONDS = 3600.0
# As long as others are looked at before it.
_MOST_WAITED_SECONDS = 10.0


class NumberedRun(NamedTuple):
    """One run of a task in the daemon.

    :param number: unique among those that run
    :param properties: the file that the daemon was told to begin it with
    """

    number: int
    properties: Path


class DaemonOfMany(Protocol):
    """What a task asks of the daemon."""

    @property
    def worker_id(self) -> str:
        """The one of all its tasks."""

    def new_number(self) -> int:
        """Of its next run."""

    def start(self, name: str, run: NumberedRun, file: str) -> None:
        """Begin it; its end is told by ``KeptTask.ended``."""

    def stop(self, number: int) -> None:
        """End it; that is told by ``KeptTask.ended``, too."""


class _ChangedError(Exception):
    """The task is wanted otherwise than it was, or at once."""


class KeptTask:
    """A thread that sees to one task.

    :param looking: held while its tables are looked at: all at once would be too much for a small machine
    """

    def __init__(self, file: TaskFile, daemon_: DaemonOfMany, *, looking: threading.Semaphore) -> None:
        self._file = file
        self._daemon = daemon_
        self._looking = looking
        self._log = Log(task=file.name)
        self._wanted: NamedTask | None = None
        self._gone = False
        self._stir = threading.Event()  # for whoever waits: something is other than it was
        self._run: NumberedRun | None = None
        self._ended: int | None = None
        self._begun_settings: Settings | None = None
        self._begun_at = 0.0
        self._slot: Slot | None = None
        self._backoff = Backoff(TASK)
        self._said = ("", 0.0)
        self._warned = ""
        self._report: PreflightReport | None = None
        self._thread = threading.Thread(target=self._keep, name=f"task {file.name}", daemon=True)

    @property
    def name(self) -> str:
        """As ``--task`` has it."""
        return self._file.name

    def begin(self) -> None:
        """See to the task from now on."""
        self._thread.start()

    def want(self, task: NamedTask) -> None:
        """What is in its file now."""
        if task is self._wanted:
            return
        before, self._wanted = self._wanted, task
        wrong = _wrong(task)
        if wrong and self._run is not None and (before is None or _wrong(before) != wrong):
            note = f"{wrong} The task goes on with the settings that it has. Correct the file."
            self._log.error("task_file_unusable", file=task.file.path, note=note)
        if before is None or (before.settings, _wrong(before)) != (task.settings, wrong):
            self._stir.set()

    def hurry(self) -> None:
        """Try again now, if it waits for that."""
        self._stir.set()

    def end(self) -> None:
        """Its file is gone."""
        self._gone = True
        self._stir.set()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return not self._thread.is_alive()

    def has_place_of(self, other: NamedTask) -> bool:
        """Whether the other would have the same logs, or the same file."""
        settings, theirs = self._begun_settings, other.settings
        has_logs = settings is not None and theirs is not None and _logs(settings) == _logs(theirs)
        return has_logs or self._file.path == other.file.path

    def ended(self, number: int, status: int) -> None:
        """That run has ended, with this exit status."""
        run = self._run
        if run is not None and run.number == number:
            self._ended = status
            self._stir.set()

    def adopt(self, run: NumberedRun) -> None:
        """Take over what the daemon runs already. What can't be held as it is will be ended and begun anew."""
        self._run = run
        self._begun_at = time.monotonic()
        folder = run.properties.parent
        try:
            begun = shapes.decode(private_files.read(folder / SETTINGS_FILE), Settings)
            self._slot = claim_slot(begun, directory=folder)
        except (OSError, ReplicatorError, msgspec.MsgspecError) as exc:
            self._log.warning("task_begun_anew", reason=str(exc), note="Its files are not as they were left.")
        else:
            self._begun_settings = begun

    def _keep(self) -> None:
        while True:
            self._stir.clear()
            try:
                if self._run is None and not self._gone:
                    self._make_ready()
                if self._run is not None:
                    self._watch()
            except _ChangedError:
                self._backoff.reset()
            except Exception as exc:  # noqa: BLE001  # this thread is the only one that sees to the task
                self._refuse_unforeseen(exc)
            finally:
                if self._run is None and self._slot is not None:
                    self._slot.release()
                    self._slot = None
            if self._gone and self._run is None:
                return

    def _make_ready(self) -> None:
        """Begin it, or say why not, and wait until that may be different."""
        task = self._wanted
        assert task is not None  # noqa: S101  # only a task that runs already has no file's content
        wrong = _wrong(task)
        if wrong or task.settings is None:
            self._refuse(wrong)
            return
        settings = task.settings
        try:
            self._slot = claim_slot(settings)
            facts = Readiness(settings, look=self._look, tell=_nobody, sleep=self._wait).wait().facts
            properties = write_files(settings, self._slot, facts, worker_id=self._daemon.worker_id)
        except NotReadyError:
            self._refuse(_sentences(self._report.errors) if self._report else "")
            return
        except ReplicatorError as exc:
            self._refuse(str(exc))
            return
        finished_copy.note(settings, Clients(settings), facts)
        self._start(settings, NumberedRun(self._daemon.new_number(), properties))

    def _start(self, settings: Settings, run: NumberedRun) -> None:
        warnings = _sentences(self._report.findings) if self._report else ""
        if warnings and warnings != self._warned:
            self._log.warning("task_warnings", note=warnings)
        self._warned = warnings
        self._log.notice("task_begun", path=settings.path, checkpoints=settings.checkpoint_table)
        self._said = ("", 0.0)
        self._begun_settings = settings
        self._begun_at = time.monotonic()
        self._ended = None
        self._run = run
        self._daemon.start(self.name, run, self._file.path)

    def _look(self, settings: Settings, unanswered: set[str]) -> PreflightReport:
        """Those that wait for an answer must not hold up all others for ever."""
        has_turn = self._looking.acquire(timeout=_MOST_WAITED_SECONDS)
        try:
            self._report = look_at(settings, unanswered, machine=False)
        finally:
            if has_turn:
                self._looking.release()
        return self._report

    def _wait(self, seconds: float) -> None:
        if self._stir.wait(seconds):
            raise _ChangedError

    def _refuse(self, why: str) -> None:
        """Say it once for as long as it is the same, and wait."""
        said, at = self._said
        if why != said or time.monotonic() - at >= SAID_AGAIN_SECONDS:
            self._said = (why, time.monotonic())
            note = (
                f"{why} Nothing of this task is replicated; its checkpoints are as they were, and other tasks go on. "
                f"It is tried again after pauses of up to {TASK.longest_pause_seconds / 60:.0f} minutes, and when its "
                "file changes."
            )
            self._log.error("task_not_begun", file=self._file.path, note=note)
        self._wait(self._backoff.next_seconds())

    def _refuse_unforeseen(self, exc: Exception) -> None:
        try:
            self._refuse(f"{type(exc).__name__}: {exc}.")
        except _ChangedError:
            self._backoff.reset()

    def _watch(self) -> None:
        """Until it ends: by itself, or because it is wanted otherwise."""
        assert self._run is not None  # noqa: S101
        while self._ended is None and not self._is_wanted_otherwise():
            self._stir.wait()
            self._stir.clear()
        status = self._ended
        if status is None:
            if not self._gone:
                note = "Its settings have changed: it is ended, and begun with the new ones."
                self._log.notice("task_changed", file=self._file.path, note=note)
            self._daemon.stop(self._run.number)
            while self._ended is None:
                self._stir.wait()
                self._stir.clear()
        self._run = None
        self._ended = None
        if status is None:
            self._backoff.reset()
            return
        if time.monotonic() - self._begun_at >= STEADY_SECONDS:
            self._backoff.reset()
        pause = self._backoff.next_seconds()
        note = (
            "This task ended by itself; its own message is above, or in its logs. Nothing past its checkpoints is "
            "lost, and other tasks go on. It is begun again by itself, and at once when its file changes."
        )
        self._log.error("task_ended", status=status, again_in_seconds=round(pause), note=note)
        self._wait(pause)

    def _is_wanted_otherwise(self) -> bool:
        if self._gone:
            return True
        if self._wanted is None or self._wanted.settings is None or self._wanted.findings:
            return False  # what runs is better than nothing
        return self._wanted.settings != self._begun_settings


def _logs(settings: Settings) -> Path:
    return Path(settings.log_directory) / settings.task_name


def _nobody(*_: str) -> None:
    """What is found is said as a whole, with what comes of it."""


def _wrong(task: NamedTask) -> str:
    """What is wrong with a file's content, as sentences."""
    return f"{task.error_with_places} {_sentences(task.findings)}".strip()


def _sentences(findings: Iterable[Finding]) -> str:
    return " ".join(finding.sentences for finding in findings)
