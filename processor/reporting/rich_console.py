"""Draws tables, bars and screens with ``rich``; text from outside reaches the terminal only as printable text.

It is a module of its own because rich takes 0.1 s to import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from processor.reporting import terminal
from processor.reporting.console import unfiltered
from processor.reporting.printable import escaped, escaped_lines

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType, RenderResult

# The same as ``terminal.py``'s, in rich's words.
_STYLES: Mapping[terminal.Tone, str] = {"good": "green", "bad": "bold red", "doubtful": "yellow"}


class PrintableConsole(Console):
    """A console of rich's that escapes the text it is given, but not rich's own styles and cursor movements.

    This is only the last line of defence: text that is escaped here is wider than rich's layout expects.
    """

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        stream = unfiltered(sys.stderr if stderr else sys.stdout)
        super().__init__(file=stream, highlight=False, markup=False, emoji=False, width=width)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See ``Console``."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(escaped_lines(text), style)


class Message:
    """A line as ``output.say`` shows it: broken between words, the further ones indented, a severity in its colour."""

    def __init__(self, line: str) -> None:
        self._line = line

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich's console protocol."""
        for part in terminal.broken(escaped(self._line), options.max_width):
            text = Text(part, overflow="fold")
            if found := terminal.severity_of(part):
                end, tone = found
                text.stylize(_STYLES[tone], 0, end)
            yield text


def cell(value: str) -> Text:
    """``value`` as the text of one line, without markup: the content of tables comes from outside."""
    return Text(escaped(value))
