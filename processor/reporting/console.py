"""Standard output and standard error as people see them: nothing written there moves the cursor or forges a line.

``main.py`` and the child put their standard streams behind these, so that whatever is printed passes here, a library's
warning and an interpreter's trace too. Who draws on a terminal (``progress.py``, ``rich_console.py``) escapes its texts
itself and writes to ``unfiltered``.
"""

from __future__ import annotations

import re
from typing import Any, TextIO

from processor.reporting.printable import escaped_lines
from processor.reporting.secrets import hidden

# The beginning of a line inside one message, where it isn't indented already.
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
    """Standard output: characters that aren't printable are escaped, but for line feeds."""

    @property
    def unfiltered(self) -> TextIO:
        """For what draws on a terminal."""
        return self._stream

    def _changed(self, text: str) -> str:
        return escaped_lines(text)


class MessageStream(PrintableStream):
    """Standard error: the same, and lines of a message but its first are indented, so that none looks like another."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(RedactedStream(stream))  # type: ignore[arg-type]  # a TextIO by its attributes

    def _changed(self, text: str) -> str:
        return escaped_lines(_CONTINUED.sub("\n\t", text))


class RedactedStream(_Stream):
    """Says no secret."""

    def _changed(self, text: str) -> str:
        return hidden(text)


def unfiltered(stream: TextIO) -> TextIO:
    """The stream behind ``stream``, or itself where it isn't one of these, as in a test."""
    behind: TextIO = getattr(stream, "unfiltered", stream)
    return behind
