"""The process that shards' children are forked from: ``python -m processor.replication.nursery``.

It has imported what a child runs on and opened nothing: no thread, no connection, no lock. A child that is forked from
it shares all of that. One that is started as a program takes 23 MB of memory and 0.12 s of CPU more. Only the daemon
speaks to it (``Nursery.java``), a line for each word::

    daemon ─▶ child 7      three named pipes are made: 7.in, 7.out, 7.err
           ◀─ made 7
           ─▶ open 7       the daemon has opened its ends of them, so ours open at once; their names are then removed
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
from pathlib import Path
from typing import TYPE_CHECKING

from processor.replication import assembly, child
from processor.settings.daemon_files import NURSERY_DIRECTORY, handed_down

if TYPE_CHECKING:
    from collections.abc import Callable

_ENDS = {"in": os.O_RDONLY, "out": os.O_WRONLY, "err": os.O_WRONLY}
_READ_BYTES = 4096


class Nursery:
    """Forks children, and tells how they end.

    :param folder: for the named pipes
    :param requests: a descriptor
    :param answers: a descriptor
    """

    def __init__(self, folder: Path, *, requests: int, answers: int) -> None:
        self._folder = folder
        self._requests = requests
        self._answers = answers
        self._woken, self._wake = os.pipe()
        self._numbers: dict[int, str] = {}
        self._words: dict[str, Callable[..., bool | None]] = {
            "child": self._make,
            "open": self._fork,
            "kill": self._kill,
            "drop": self._drop,
        }

    def serve(self) -> bool:
        """Do what the daemon says until the input ends.

        :returns: whether this process is a child now, with its ends of the pipes as standard input, output and error
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
                return False
            *lines, received = (received + read).split(b"\n")
            for line in lines:
                word, *rest = line.decode().split(" ")
                if self._words[word](*rest):
                    return True

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

    def _fork(self, number: str) -> bool:
        opened: list[int] = []
        try:
            for end, path in self._paths(number).items():
                opened.append(
                    os.open(path, _ENDS[end] | os.O_NONBLOCK)
                )  # fails where the daemon has not opened its own
                os.set_blocking(opened[-1], True)
            self._drop(number)
            process = os.fork()
        except OSError as exc:
            self._close(*opened)
            self._refuse(number, exc)
            return False
        if process == 0:
            self._become_child(opened)
            return True
        self._close(*opened)
        self._numbers[process] = number
        self._say("begun", number, process)
        return False

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
                code = os.waitstatus_to_exitcode(status)
                self._say("ended", self._numbers.pop(process), code if code >= 0 else 128 - code)

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


def main() -> None:
    """Serve the daemon. In a forked child, run what ``child.py`` runs."""
    child.leave_signals_to_the_daemon()
    requests, answers = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # a stray print is no answer
    gc.disable()
    settings, directory = handed_down(os.environ)
    shared = assembly.share(settings, directory)
    folder = directory / NURSERY_DIRECTORY
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    gc.collect()
    gc.freeze()  # a look for garbage writes to each object, and what is written to is shared no longer
    try:
        is_child = Nursery(folder, requests=requests, answers=answers).serve()
    except BrokenPipeError:  # the daemon is gone
        is_child = False
    if is_child:
        child.main(shared)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)  # at once: the daemon waits for it, and nothing is left to be done


if __name__ == "__main__":
    main()
