"""What a caretaker asks of each of its duties, and of those that it only tells how the task stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from processor.caretaker.lock import CareLock
from processor.settings.settings import Settings
from processor.state.care_row import CareRow
from processor.state.copy_rows import CopyState
from processor.state.status.report import StatusReport
from processor.state.status.snapshot import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the task stands, by one look at all of it.

    :param report: as ``status`` has it
    :param seen: what was read for that
    :param care: the caretakers' own row
    :param copy: the task's last copy; None if there was none, or no duty asks for it
    :param at: the time of the look, in seconds since the epoch
    """

    settings: Settings
    report: StatusReport
    seen: Seen
    care: CareRow
    copy: CopyState | None
    at: float = field(default_factory=time.time)

    @property
    def at_ms(self) -> int:
        """The time of the look, in milliseconds since the epoch."""
        return int(self.at * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a command of run.sh, for this task, as a process of its own.

    :param command: the command's name
    :param options: its options; ``--json`` is added
    :param why: for the log
    :param gives_way: whether it is stopped where a duty that stands before its own has a job; it goes on later
    """

    command: Literal["copy", "verify"]
    options: tuple[str, ...] = ()
    why: str = ""
    gives_way: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended.

    :param status: its exit status; negative if a signal killed it
    :param report: what its ``--json`` printed: the command's own report, or ``exitStatus`` and ``error`` of a failure;
        empty if it printed nothing
    :param seconds: how long it ran
    """

    status: int
    report: dict[str, Any]
    seconds: float

    @property
    def message(self) -> str:
        """Why it failed, for people."""
        return str(self.report.get("error") or f"it ended with {self.status}")


class Duty(Protocol):
    """Something to be done for the task now and then, by one command.

    The duties are asked in turn, after each look, while no job is under way; the first that wants a job gets it. While
    one is under way that gives way, those before its own are asked. Both
    methods may raise ``UnavailableError``: then they are called again after the next look.
    """

    @property
    def name(self) -> str:
        """For the log: which duty a job is of."""

    def due(self, standing: Standing, lock: CareLock) -> Job | None:
        """The job that is due now; None if none is. May note what it has decided."""

    def ended(self, job: Job, outcome: Outcome, standing: Standing, lock: CareLock) -> None:
        """A job of this duty has ended; ``standing`` is the last look's."""


class Observer(Protocol):
    """Whoever is told of each look, whether a job is under way or not. Must return within some seconds."""

    def see(self, standing: Standing, lock: CareLock) -> None:
        """One more look. What it must remember beyond this process it notes in the row."""
