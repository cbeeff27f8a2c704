"""A task that a command names: its file, and its settings or what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from processor.reporting.failure import FailureReport
from processor.reporting.findings import Finding
from processor.reporting.task_output import TaskOutcome
from processor.settings.settings import Settings
from processor.settings.task_file import TaskFile


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTask:
    """A task, with its settings, or with what is wrong with them.

    :param places: where its settings are given, each by its name: ``file:line``, or in words
    :param findings: what is wrong with it beside the others
    """

    file: TaskFile
    settings: Settings | None = None
    error: str = ""
    places: Mapping[str, str]
    findings: tuple[Finding, ...] = ()

    @property
    def heading(self) -> str:
        """The line above what is said of the task."""
        return f"== {self.file.path}" + (f": {self.settings.path}" if self.settings else "")

    @property
    def error_with_places(self) -> str:
        """The error, and where the settings are given that it names; empty if there is none."""
        places = "; ".join(self.where(self.error))
        return f"{self.error} ({places})" if places else self.error

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What it shares with others and must not; the other findings are warnings."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def outcome(
        self,
        status: int | None,
        *,
        result: Any = None,
        message: str = "",
        reasons: Sequence[Finding] = (),
        wrong: str = "",
    ) -> TaskOutcome:
        """What came of a command with the task.

        :param status: the exit status; None if it was not reached
        :param result: what the command gave; where that is nothing and a message ended it, a failure stands for it
        :param message: what ended it
        :param reasons: the findings that the message comes from
        :param wrong: all that was said of things that are wrong
        """
        if result is None and message and status is not None:
            result = FailureReport(exit_status=status, error=message, findings=list(reasons))
        return TaskOutcome(
            task=self.file.name,
            file=self.file.own_path,
            exit_status=status,
            result=result,
            error=message,
            findings=self.findings,
            places=self.places_in(f"{message} {wrong}"),
        )

    def places_in(self, text: str) -> dict[str, str]:
        """Where the settings are given that a message names."""
        words = set(re.findall(r"[\w.]+\w", text))
        return {name: place for name, place in self.places.items() if name in words}

    def where(self, text: str) -> list[str]:
        """``places_in`` for people, without what the message has itself."""
        return [f"{name} is given in {place}" for name, place in self.places_in(text).items() if place not in text]


def in_directions(tasks: Iterable[NamedTask], *, kept: Container[str] = ()) -> Iterator[NamedTask]:
    """The same tasks, and after each two-way one its uplink as a task beside it.

    :param kept: paths of tasks that run: an uplink among them stays while its file can't be used
    """
    for task in tasks:
        settings = task.settings
        if settings is None:
            yield task
            if task.file.uplink.path in kept:
                yield replace(task, file=task.file.uplink)
            continue
        yield task
        yield from (replace(task, file=task.file.uplink, settings=each) for each in settings.in_directions[1:])
