"""What is printed of one of several tasks: its heading, and what is kept of it for the sum and for JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from processor.reporting import output
from processor.reporting.ending import INTERRUPTED
from processor.reporting.findings import Finding
from processor.system import program

# The beginning of a line that has something to say of what is wrong: ``Finding.lines``, and the program's own messages.
_WRONG = ("error", "warning", "        ")


class TaskOutcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What came of a command with one of several tasks: an element of ``--json``'s list, as docs/many.md describes it.

    :param task: the file's name without ``.properties``
    :param exit_status: of the command with this task; None if it was not reached
    :param result: what ``--json`` prints with this one file; None if that is nothing
    :param error: what ended it, or why its settings can't be used
    :param findings: what is wrong with the task beside the others
    :param places: where the settings are given that a message names: ``file:line``, or in words
    """

    task: str
    file: str
    exit_status: int | None = msgspec.field()
    result: Any = msgspec.field()
    error: str = ""
    findings: tuple[Finding, ...] = ()
    places: Mapping[str, str] = msgspec.field(default_factory=dict)


def worst(statuses: Iterable[int]) -> int:
    """The exit status of all: the highest.

    ::

        141         nobody reads the output any more
        143, 130    stopped by a signal: not all tasks were reached
         22         a person must put something right: trying again does not help
          5         it failed, or could not be looked at: trying again may help
          1         it was looked at, and the answer is no (the tables differ, a task is not healthy)
          0         well
    """
    return max(statuses, default=0)


def end_of(outcomes: Sequence[TaskOutcome], *, command: str, signal_number: int) -> int:
    """The exit status of all; after a signal also say on standard error which tasks were not reached."""
    status = worst(each.exit_status for each in outcomes if each.exit_status is not None)
    left = [each.file for each in outcomes if each.exit_status is None]
    if not left:
        return status
    output.say(f"{program.NAME}: {command} was interrupted. Not reached: {', '.join(left)}.")
    return max(status, INTERRUPTED + signal_number)


class TaskOutput:
    """Listens while a command works on one task.

    :param heading: the task's, for people
    :param as_json: keep what would be printed as JSON; else show the heading at once, before all that is printed
    """

    def __init__(self, heading: str, *, as_json: bool) -> None:
        self._heading = heading
        self._as_json = as_json
        self._introduced = False
        self._wrong: list[str] = []
        self.result: Any = None
        if not as_json:
            output.line(heading, flush=True)
            self._introduced = _is_one_place()

    @property
    def wrong(self) -> str:
        """What was said of things that are wrong."""
        return "\n".join(self._wrong)

    def introduction(self) -> str:
        """See ``output.Listener``: standard error has headings of its own where it goes to another place."""
        heading = "" if self._introduced else self._heading
        self._introduced = True
        return heading

    def said(self, lines: tuple[str, ...]) -> None:
        """See ``output.Listener``."""
        self._wrong += [line for line in lines if line.startswith(_WRONG)]

    def takes(self, report: Any) -> bool:
        """See ``output.Listener``. It is encoded now, because it may be changed later."""
        if self._as_json:
            self.result = msgspec.Raw(msgspec.json.encode(report))
        return self._as_json


def _is_one_place() -> bool:
    """Whether standard output and standard error are one terminal, file or pipe."""
    try:
        ours, theirs = (os.fstat(stream.fileno()) for stream in (sys.stdout, sys.stderr))
    except (OSError, ValueError):  # a test's stream
        return False
    return (ours.st_dev, ours.st_ino, ours.st_rdev) == (theirs.st_dev, theirs.st_ino, theirs.st_rdev)
