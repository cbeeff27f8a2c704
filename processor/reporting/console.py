"""Makes standard output and standard error safe for people: nothing written there moves the cursor or forges a line.

``main.py`` and the child wrap their standard streams in these, so that everything printed passes here, including a
library's warning and an interpreter's traceback. Modules that draw on a terminal (``progress.py``, ``rich_console.py``)
escape their texts themselves and write to ``unfiltered``.
"""

from __future__ import annotations

import re
from typing import Any, TextIO

from processor.reporting.printable import escaped_lines
from processor.reporting.secrets import hidden

# The beginning of each line after a message's first, if it isn't indented already.
_CONTINUED = re.compile(r"\n(?![\t ]|\Z)")


class _Stream:
    """Changes each text on its way to another stream; whole messages must be written at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """See ``TextIO``."""
        self._stream.write(self._changed(text))
        return len(text)

    def _changed(self, text: str) -> str:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class PrintableStream(_Stream):
    """Standard output: characters that aren't printable are escaped, except line feeds."""

    @property
    def unfiltered(self) -> TextIO:
        """The stream for modules that draw on a terminal."""
        return self._stream

    def _changed(self, text: str) -> str:
        return escaped_lines(text)


class MessageStream(PrintableStream):
    """Standard error: the same, and a message's further lines are indented, so that none looks like a new message."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(RedactedStream(stream))  # type: ignore[arg-type]  # a TextIO by its attributes

    def _changed(self, text: str) -> str:
        return escaped_lines(_CONTINUED.sub("\n\t", text))


class RedactedStream(_Stream):
    """Replaces secrets by ``***``."""

    def _changed(self, text: str) -> str:
        return hidden(text)


def unfiltered(stream: TextIO) -> TextIO:
    """The stream behind ``stream``, or ``stream`` itself if it isn't one of these, as in a test."""
    behind: TextIO = getattr(stream, "unfiltered", stream)
    return behind
