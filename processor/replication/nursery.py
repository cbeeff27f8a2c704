"""The process that shards' children are forked from: ``python -m processor.replication.nursery FOLDER``.

It has imported what a child runs on and opened nothing: no thread, no connection, no lock. A child that is forked from
it shares all of that, and what it has made for the child's task. One that is started as a program takes 23 MB of memory
and 0.12 s of CPU more. Only the daemon speaks to it (``Nursery.java``), a line for each word::

    daemon ─▶ task /a/child.json   what this task's children share is made, or made anew
           ─▶ gone /a/child.json   the task has ended
           ─▶ child 7      three named pipes are made in the folder: 7.in, 7.out, 7.err
           ◀─ made 7
           ─▶ open 7 /a/child.json   the daemon has opened its ends of them, so ours open at once; their names are
                           then removed. The child is one of this task
           ◀─ begun 7 4711   the process id; or: refused 7 REASON
           ─▶ kill 7 15    a signal; to nobody once it has ended
           ◀─ ended 7 0    the exit status, as a shell has it
           ─▶ drop 7       what was made is no longer wanted

The nursery ends when its input ends, and its children go on. A child sees by its own input that the daemon has ended.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from processor.replication import assembly, child
from processor.settings.daemon_files import SETTINGS_VARIABLE, handed_down
from processor.system.signals import leave_to_parent

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.replication.assembly import Shared

_ENDS = {"in": os.O_RDONLY, "out": os.O_WRONLY, "err": os.O_WRONLY}
_READ_BYTES = 4096
# Of a line: the last of them may be a path.
_MOST_WORDS = 3


class Child(NamedTuple):
    """What a process that was forked is to be.

    :ivar settings: the file with its task's settings
    :ivar shared: None if it could not be made before
    """

    settings: Path
    shared: Shared | None


class Nursery:
    """Forks children, and tells how they end.

    :param folder: for the named pipes
    :param prepare: makes what a task's children share, of the file with its settings
    :param requests: a descriptor
    :param answers: a descriptor
    """

    def __init__(self, folder: Path, *, prepare: Callable[[Path], Shared | None], requests: int, answers: int) -> None:
        self._folder = folder
        self._prepare = prepare
        self._shared: dict[Path, Shared | None] = {}
        self._requests = requests
        self._answers = answers
        self._woken, self._wake = os.pipe()
        self._numbers: dict[int, str] = {}
        self._words: dict[str, Callable[..., Child | None]] = {
            "task": self._begin_task,
            "gone": self._end_task,
            "child": self._make,
            "open": self._fork,
            "kill": self._kill,
            "drop": self._drop,
        }

    def serve(self) -> Child | None:
        """Do what the daemon says until the input ends.

        :returns: what this process is now, if it is a child: its ends of the pipes are standard input, output and error
        """
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._requests, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        received = b""
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken in ready:
                os.read(self._woken, _READ_BYTES)
                self._reap()
            if self._requests not in ready:
                continue
            read = os.read(self._requests, _READ_BYTES)
            if not read:
                return None
            *lines, received = (received + read).split(b"\n")
            for line in lines:
                word, *rest = os.fsdecode(line).split(" ", _MOST_WORDS - 1)  # a path may have spaces
                child = self._words[word](*rest)
                if child is not None:
                    return child

    def _say(self, *words: object) -> None:
        os.write(self._answers, (" ".join(map(str, words)) + "\n").encode())

    def _paths(self, number: str) -> dict[str, Path]:
        return {end: self._folder / f"{number}.{end}" for end in _ENDS}

    def _make(self, number: str) -> None:
        try:
            for path in self._paths(number).values():
                os.mkfifo(path, 0o600)
        except OSError as exc:
            self._refuse(number, exc)
        else:
            self._say("made", number)

    def _begin_task(self, *path: str) -> None:
        settings = Path(" ".join(path))
        self._shared[settings] = self._prepare(settings)
        gc.collect()
        gc.freeze()  # a look for garbage writes to each object, and what is written to is shared no longer

    def _end_task(self, *path: str) -> None:
        self._shared.pop(Path(" ".join(path)), None)

    def _fork(self, number: str, settings_file: str) -> Child | None:
        settings = Path(settings_file)
        if settings not in self._shared:
            self._begin_task(settings_file)
        opened: list[int] = []
        try:
            for end, path in self._paths(number).items():
                # It fails where the daemon has not opened its own.
                opened.append(os.open(path, _ENDS[end] | os.O_NONBLOCK))
                os.set_blocking(opened[-1], True)
            self._drop(number)
            process = os.fork()
        except OSError as exc:
            self._close(*opened)
            self._refuse(number, exc)
            return None
        if process == 0:
            self._become_child(opened)
            return Child(settings, self._shared[settings])
        self._close(*opened)
        self._numbers[process] = number
        self._say("begun", number, process)
        return None

    def _become_child(self, opened: list[int]) -> None:
        """Close all of the nursery's descriptors: a pipe that stayed open here would never end for its reader."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for standard, descriptor in enumerate(opened):
            os.dup2(descriptor, standard)
        self._close(*opened, self._requests, self._answers, self._woken, self._wake)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                process, status = os.waitpid(-1, os.WNOHANG)
                if process == 0:
                    return
                number = self._numbers.pop(process, None)
                if number is not None:  # else it is one that a transform has begun when it was imported
                    code = os.waitstatus_to_exitcode(status)
                    self._say("ended", number, code if code >= 0 else 128 - code)

    def _kill(self, number: str, signal_number: str) -> None:
        for process, each in self._numbers.items():
            if each == number:
                os.kill(process, int(signal_number))

    def _drop(self, number: str) -> None:
        for path in self._paths(number).values():
            path.unlink(missing_ok=True)

    def _refuse(self, number: str, error: OSError) -> None:
        with contextlib.suppress(OSError):
            self._drop(number)
        self._say("refused", number, error.strerror or type(error).__name__)

    @staticmethod
    def _close(*descriptors: int) -> None:
        for descriptor in descriptors:
            os.close(descriptor)


class Preparation:
    """Makes what each task's children share. Not its hook, if another task's may be imported under the same name."""

    def __init__(self) -> None:
        self._hooked: Path | None = None

    def __call__(self, settings_file: Path) -> Shared | None:
        """None if it can't be made: the child meets the same, and says so."""
        try:
            settings, directory = handed_down({SETTINGS_VARIABLE: str(settings_file)})
            if settings.transform is not None:
                self._hooked = self._hooked or settings_file
                if self._hooked != settings_file:
                    return None
            return assembly.share(settings, directory)
        except Exception:  # noqa: BLE001  # one task's trouble is no other's
            return None


def main() -> None:
    """Serve the daemon. In a forked child, run what ``child.py`` runs."""
    leave_to_parent()
    requests, answers = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # a stray print is no answer
    gc.disable()
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    gc.collect()
    gc.freeze()
    try:
        forked = Nursery(folder, prepare=Preparation(), requests=requests, answers=answers).serve()
    except BrokenPipeError:  # the daemon is gone
        forked = None
    if forked is not None:
        os.environ[SETTINGS_VARIABLE] = str(forked.settings)
        child.main(forked.shared)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)  # at once: the daemon waits for it, and nothing is left to be done


if __name__ == "__main__":
    main()
