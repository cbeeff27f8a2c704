"""A command of run.sh as a process of its own, which ends with this one.

The command gets the task's settings as the daemon's children do, and watches its standard input: when that ends,
because this process ended it or died, the command stops between two steps, as after SIGTERM. What it says to people
goes to a file; its report, JSON on standard output, is read when it has ended.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from processor.caretaker.duty import Job, Outcome
from processor.settings.daemon_files import SETTINGS_VARIABLE
from processor.system import private_files

MODULE = "processor.cli.of_task"
# A command stops between two steps, of which each is a call or two.
_STOP_SECONDS = 4.0
# A report has at most some dozens of keys.
_MOST_BYTES = 16 * 2**20


class Work(Protocol):
    """A job under way."""

    @property
    def job(self) -> Job:
        """What it is."""

    def poll(self) -> Outcome | None:
        """How it ended; None while it runs."""

    def stop(self) -> None:
        """End it, and return when it has ended."""


class CommandProcess:
    """Runs a job from now on.

    :param settings_file: with the task's settings, as the daemon hands them down
    :param said: the file that takes what the command says to people; it is written anew
    :raises OSError: it can't be started
    """

    def __init__(self, job: Job, *, settings_file: Path, said: Path) -> None:
        self.job = job
        self._began = time.monotonic()
        self._report: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # until its end
        with os.fdopen(private_files.open_file(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, shared=True), "wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", MODULE, job.command, *job.options, "--json"],
                stdin=subprocess.PIPE,
                stdout=self._report,
                stderr=file,
                env=os.environ | {SETTINGS_VARIABLE: str(settings_file)},
            )

    def poll(self) -> Outcome | None:
        """How it ended; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return Outcome(status=status, report=self._read(), seconds=time.monotonic() - self._began)

    def _read(self) -> dict[str, Any]:
        self._report.seek(0)
        try:
            found = msgspec.json.decode(self._report.read(_MOST_BYTES))
        except msgspec.DecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    def stop(self) -> None:
        """End it, and return when it has ended."""
        assert self._process.stdin is not None  # noqa: S101  # by Popen's arguments
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
