"""A terminal in which a page's session is typed, and what it shows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.drill.steps import Step
from tests.fakes.patience import until

# A command may set up the checkout, and the last one waits for a server that doesn't answer.
_COMMAND_SECONDS = 600


class NotShownError(AssertionError):
    """A step does not show what the page says."""


class Terminal:
    """Bash, in a folder; what it begins in the background goes on, and writes to the same screen.

    :param ports: those that the pages name, and the ones that are free here
    :param environment: what is set beside that of this process
    """

    def __init__(self, folder: Path, *, ports: Mapping[str, int], environment: Mapping[str, str]) -> None:
        self._path = folder / "screen.log"
        self._ports = ports
        self._typed = 0
        with self._path.open("w") as screen:
            self._bash = subprocess.Popen(
                ["bash", "--norc"],
                cwd=folder,
                env=os.environ | environment,
                stdin=subprocess.PIPE,
                stdout=screen,
                stderr=screen,
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> Terminal:  # noqa: PYI034  # Self came with Python 3.11
        """Nothing more than it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever was begun in it ends, too."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        assert self._bash.stdin is not None
        self._bash.stdin.close()

    @property
    def screen(self) -> str:
        """All that it shows."""
        return self._path.read_text(errors="replace")

    def here(self, text: str) -> str:
        """A text of the page, with the ports that are free here."""
        return re.sub(r"\b\d{4,5}\b", lambda match: str(self._ports.get(match[0], match[0])), text)

    def follow(self, step: Step, *, seconds: float) -> None:
        """Type it, and wait until what stands below it is shown.

        :raises NotShownError: if that does not come, or the command fails without the page saying so
        """
        before = len(self.screen)
        status = self._type(step.command)
        seen: list[str] = [""]

        def is_shown() -> bool:
            seen[0] = self.screen[before:]
            return step.pattern.search(seen[0]) is not None

        try:
            if step.shown:
                until(is_shown, "what is shown", seconds=seconds)
        except AssertionError:
            raise NotShownError(f"$ {step.command}{step.shown}\nis shown as:\n{seen[0]}") from None
        if status and not step.shown:
            raise NotShownError(f"$ {step.command}ended with {status}:\n{self.screen[before:]}")

    def _type(self, command: str) -> int:
        """Until it is done; returns its exit status."""
        assert self._bash.stdin is not None
        self._typed += 1
        mark = f"<typed {self._typed}: "
        self._bash.stdin.write(f"{self.here(command)}\necho '{mark}'$?'>'\n")
        self._bash.stdin.flush()
        found = until(
            lambda: re.search(rf"{re.escape(mark)}(\d+)>", self.screen),
            f"the end of {command!r}",
            seconds=_COMMAND_SECONDS,
        )
        return int(found[1])
