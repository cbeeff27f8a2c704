"""The process that looks after a daemon's tasks: ``python -m processor.caretaker.process``, started by the daemon.

On its standard input the daemon says which tasks have begun and ended, a line of JSON for each; when the input ends,
the daemon has ended. Nothing waits for this process, and if it fails, replication goes on.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from processor.caretaker import assembly
from processor.caretaker.caretaker import Caretaker
from processor.errors import ReplicatorError
from processor.reporting.logs import Log
from processor.settings.daemon_files import SETTINGS_VARIABLE, handed_down
from processor.settings.kept_process import begun, listen
from processor.system.private_files import UMASK


class Heard(msgspec.Struct, rename="camel"):
    """The daemon's message.

    :param task: the file with the settings of the task's children
    """

    task: str
    state: Literal["begun", "ended"]


@dataclass(frozen=True, slots=True)
class _Kept:
    thread: threading.Thread
    stop: threading.Event = field(default_factory=threading.Event)


class Caretakers:
    """A thread for each task."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Kept] = {}

    def hear(self, heard: Heard) -> None:
        """Take a message of the daemon."""
        known = self._tasks.get(heard.task)
        if heard.state == "ended":
            if known is not None:
                del self._tasks[heard.task]
                known.stop.set()
        elif known is None:
            self._begin(heard.task)

    def _begin(self, task: str) -> None:
        try:
            settings, directory = handed_down({SETTINGS_VARIABLE: task})
            made = assembly.caretaker(settings, directory)
        except (OSError, ReplicatorError, msgspec.MsgspecError) as exc:  # it has ended again, and its files are gone
            Log().warning("caretaker_missing", file=task, reason=str(exc), note="Replication goes on.")
            return
        stop = threading.Event()
        thread = threading.Thread(target=Caretaker.run, args=(made, stop), name=f"care {settings.task_name}")
        self._tasks[task] = _Kept(thread, stop)
        thread.start()

    def close(self) -> None:
        """End all, side by side."""
        for each in self._tasks.values():
            each.stop.set()
        for each in self._tasks.values():
            each.thread.join()


def main() -> None:
    """Run until the end of input."""
    os.umask(UMASK)
    begun()
    caretakers = Caretakers()
    listen(sys.stdin, Heard, caretakers.hear)
    caretakers.close()


if __name__ == "__main__":
    main()
