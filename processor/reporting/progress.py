"""Shows a long command's progress: one line that is updated on a terminal, or a new line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

import rich.progress
from rich.table import Column

from processor.reporting import output, terminal
from processor.reporting.console import unfiltered
from processor.reporting.printable import escaped
from processor.reporting.rich_console import PrintableConsole

if TYPE_CHECKING:
    from typing_extensions import Self

# Seconds between two lines: in a log, and on a terminal.
LINE_SECONDS = 10.0
LIVE_SECONDS = 0.2


_BAR_COLUMNS = 14


def _whole() -> Column:
    """A column of a bar that is not cut."""
    return Column(no_wrap=True)


class Progress:
    """For one thread; ``stream`` is standard error, so that a report on standard output stays whole."""

    def __init__(self, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = unfiltered(stream or sys.stderr)
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
        output.introduce()
        shown = escaped(line)
        self._stream.write(f"\r\x1b[2K{terminal.cropped(shown, self._stream)}" if self._live else f"{shown}\n")
        self._stream.flush()

    def close(self) -> None:
        """Finish the terminal's line, so that others can print."""
        if self._live and self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


class Bar:
    """A bar with figures on a terminal, or a line now and then. For one thread, while the context is entered."""

    def __init__(self) -> None:
        self._lines = Progress()
        self._bar: rich.progress.Progress | None = None
        if sys.stderr.isatty():
            self._bar = rich.progress.Progress(
                rich.progress.TaskProgressColumn(),
                rich.progress.TimeRemainingColumn(table_column=_whole()),
                rich.progress.TextColumn("left", table_column=_whole()),
                rich.progress.TextColumn("{task.fields[rate]:,.0f} items/s", table_column=_whole()),
                rich.progress.BarColumn(bar_width=_BAR_COLUMNS),
                # What a narrow terminal has no room for.
                rich.progress.TextColumn(
                    "{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
                ),
                console=PrintableConsole(stderr=True),
                transient=True,
                expand=True,
            )

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._first: int | None = None
        if self._bar is not None:
            output.introduce()
            self._bar.start()
            self._task = self._bar.add_task("", total=None, rate=0.0)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, items: int, expected: int, words: str) -> None:
        """Show the progress.

        :param expected: items in all; 0 if that is not known
        :param words: the other figures
        """
        self._first = items if self._first is None else self._first
        seconds = time.monotonic() - self._began
        rate = (items - self._first) / seconds if seconds else 0.0
        if self._bar is not None:
            total = max(expected, items) or None
            self._bar.update(self._task, completed=items, total=total, rate=rate, description=escaped(words))
            return
        share = f" ({min(items / expected, 1):.0%})" if expected else ""
        left = f", about {max(expected - items, 0) / rate:,.0f} s left" if expected and rate else ""
        self._lines.say(f"{items:,} items{share}, {rate:,.0f} a second{left}: {words}")
