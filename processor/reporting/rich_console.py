"""Tables, bars and screens by ``rich``, in which nothing from outside reaches the terminal but as printable text.

A module of its own because rich takes a tenth of a second to import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from processor.reporting.console import unfiltered
from processor.reporting.printable import escaped, escaped_lines

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType


class PrintableConsole(Console):
    """A console of rich's that escapes the text it is given, and none of rich's own styles and cursor movements.

    This is the last line of defence: a text that is escaped here only is wider than rich has laid out.
    """

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        stream = unfiltered(sys.stderr if stderr else sys.stdout)
        super().__init__(file=stream, highlight=False, markup=False, emoji=False, width=width)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See ``Console``."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(escaped_lines(text), style)


def cell(value: str) -> Text:
    """``value`` as the text of one line, without markup: what stands in tables is not ours."""
    return Text(escaped(value))
