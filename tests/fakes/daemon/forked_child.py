"""A nursery, and a child forked from it, as ``Nursery.java`` has them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from processor.settings.daemon_files import NURSERY_DIRECTORY, SETTINGS_VARIABLE
from tests.fakes.patience import PATIENCE_SECONDS, until

_MODES = {"in": os.O_WRONLY, "out": os.O_RDONLY, "err": os.O_RDONLY}


class NurseryClient:
    """Speaks with a nursery.

    :param directory: the daemon's
    :param environment: with the settings
    """

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.folder = directory / NURSERY_DIRECTORY
        self.settings = environment[SETTINGS_VARIABLE]
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-m", "processor.replication.nursery", str(self.folder)],
            cwd=Path(sys.executable).parent,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.said: list[str] = []
        self._children: list[ForkedChild] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def say(self, *words: object) -> None:
        """One line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()

    def heard(self, *words: object) -> list[str]:
        """Wait for the line that begins with these words; the words after them."""
        start = " ".join(map(str, words))
        line = until(lambda: next((each for each in self.said if f"{each} ".startswith(f"{start} ")), None), start)
        return str(line)[len(start) :].split()

    def fork(self, number: int) -> ForkedChild:
        """A child, with pipes."""
        self.say("child", number)
        self.heard("made", number)
        paths = {end: self.folder / f"{number}.{end}" for end in _MODES}
        spare = [os.open(path, os.O_RDWR) for path in paths.values()]  # so that no opening waits for another
        files = [os.fdopen(os.open(paths[end], mode), "wb" if end == "in" else "rb") for end, mode in _MODES.items()]
        self.say("open", number, self.settings)
        (process,) = self.heard("begun", number)
        for descriptor in spare:
            os.close(descriptor)
        child = ForkedChild(self, number, int(process), files)
        self._children.append(child)
        return child

    def close(self) -> None:
        """Its end, and that it has one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        self.process.stdout.close()
        for child in self._children:
            for file in (child.stdin, child.stdout, child.stderr):
                file.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.decode().strip())


class ForkedChild:
    """What ``subprocess.Popen`` is to a child that is started as a program."""

    def __init__(self, nursery: NurseryClient, number: int, pid: int, files: list[IO[bytes]]) -> None:
        self._nursery = nursery
        self._number = number
        self.pid = pid
        self.stdin, self.stdout, self.stderr = files

    def poll(self) -> int | None:
        """Its exit status, if it has ended."""
        for line in self._nursery.said:
            word, number, *rest = line.split()
            if (word, number) == ("ended", str(self._number)):
                return int(rest[0])
        return None

    def wait(self, timeout: float = PATIENCE_SECONDS) -> int:
        """Its exit status, once it has ended.

        :raises subprocess.TimeoutExpired: it still runs
        """
        try:
            until(lambda: self.poll() is not None, "its end", seconds=timeout)
        except AssertionError as exc:
            raise subprocess.TimeoutExpired("child", timeout) from exc
        ended = self.poll()
        assert ended is not None
        return ended if ended < 128 else 128 - ended  # a shell's word for a signal, Popen's

    def send_signal(self, number: int) -> None:
        """By the nursery, which knows whether it still runs."""
        self._nursery.say("kill", self._number, number)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)
