"""How far a long command has come: one line in place on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

# For whoever reads a log, and for whoever sits before it.
LINE_SECONDS = 10.0
LIVE_SECONDS = 0.2


class Progress:
    """For one thread; ``stream`` is standard error, so that a report on standard output stays whole."""

    def __init__(self, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._interval = LIVE_SECONDS if self._live else LINE_SECONDS
        self._clock = clock
        self._due = clock() + self._interval
        self._shown = False

    def say(self, line: str) -> None:
        """Show ``line``, if it is time."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + self._interval
        self._shown = True
        self._stream.write(f"\r\x1b[2K{line}" if self._live else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the terminal's line to others."""
        if self._live and self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
