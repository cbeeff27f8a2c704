"""A fake written in Java, beside the daemon's own classes: it is given lines, and answers with lines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from processor.startup import java

_FOLDER = Path(__file__).parent
_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dlogback.statusListenerClass=NOP")


class JavaProgram:
    """One JVM, which runs until its input ends or it is killed.

    :param name: its source's, beside this file
    :param options: of the JVM, beside the usual ones
    :param environment: more of it than this process has
    """

    def __init__(
        self, name: str, *arguments: str, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        command = [java.executable(), *_OPTIONS, *options, "-cp", java.class_path(), str(_FOLDER / name), *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def ask(self, line: str, *, is_answer: Callable[[str], bool] = lambda _: True) -> str:
        """Give it a line; its answer.

        :param is_answer: tells it from what a library has to say
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.process.stdout.readline()
            assert answer.endswith("\n"), f"Java has ended with {self.process.wait()}"
            if is_answer(answer):
                return answer.removesuffix("\n")

    def end(self) -> None:
        """Let its input end, and wait for it."""
        self.process.communicate("")

    def kill(self) -> None:
        """End it now."""
        with self.process:
            self.process.kill()
