"""Shows several tasks to people: one line for each, the worst first. ``render.py`` shows a single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from processor.commands.status import render
from processor.reporting.printable import escaped
from processor.state.status import replica, urgency

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from processor.state.status.report import StatusReport
    from processor.state.status.task_status import TaskStatus

_WORDS = {0: "healthy", 1: "not healthy", 5: "not known", 22: "unusable", None: "not reached"}
# The last but one is there where a task verifies itself.
_COLUMNS = ("task", "state", "lag", "shards", "daemons", "verified", "wrong")
# Rows of the table that are no task's: the sum, the columns' names, what is left out, and the cursor's.
_OTHER_ROWS = 4
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class Overview:
    """The tasks, for ``rich``.

    :param at: when they were looked at, to be shown
    :param fits: leave out as many of the last as have no room on the terminal, and say how many
    """

    def __init__(self, found: Sequence[TaskStatus], *, at: datetime | None = None, fits: bool = False) -> None:
        self._found = sorted(found, key=urgency.of_task)
        self._at = at
        self._fits = fits

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich's console protocol."""
        shown = self._found
        if self._fits and len(shown) > console.size.height - _OTHER_ROWS + 1:
            shown = shown[: max(console.size.height - _OTHER_ROWS, 1)]
        at = f"{self._at:%H:%M:%S}  " if self._at else ""
        lines = [f"{at}{len(self._found)} tasks: {counts(self._found)}", *_rows(shown, options.max_width)]
        if left := self._found[len(shown) :]:
            lines.append(f"and {len(left)} more: {counts(left)}")
        yield from (Text(_cropped(line, options.max_width), no_wrap=True) for line in lines)


def counts(found: Sequence[TaskStatus]) -> str:
    """How many stand how, the worst first."""
    counted = Counter(each.exit_status for each in found)
    order = sorted(counted, key=lambda status: (status is None, -(status or 0)))
    return ", ".join(f"{counted[status]} {_word(status)}" for status in order)


def lines(found: Sequence[TaskStatus], at: datetime) -> Iterator[str]:
    """One line for each task, for a log with many."""
    for each in sorted(found, key=urgency.of_task):
        said = render.headline(each.report) if each.report else f"{_word(each.exit_status)}: {each.message}"
        yield f"{at.isoformat(timespec='seconds')} {each.task.file.path}: {said}"


def _word(status: int | None) -> str:
    return _WORDS.get(status, f"ended with {status}")


def _rows(found: Sequence[TaskStatus], width: int) -> Iterator[str]:
    """The columns' names, then a line for each task, none wider than the terminal: the last column has what is left."""
    names = Counter(each.task.file.name for each in found)
    rows: list[tuple[str, ...]] = [_COLUMNS]
    for each in found:
        file = each.task.file
        rows.append(tuple(map(escaped, (file.name if names[file.name] == 1 else file.path, *_cells(each)))))
    if not any(each.report is not None and each.report.verification for each in found):
        rows = [(*row[:-2], row[-1]) for row in rows]
    widths = [max(map(cell_len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    widths[0] = min(widths[0], max(width // 4, 8))
    for row in rows:
        shown = [_fitting(text, size) for text, size in zip(row, widths, strict=False)]
        yield _cropped("  ".join([*shown, row[-1]]), width).rstrip()


def _cropped(text: str, width: int) -> str:
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


def _fitting(text: str, width: int) -> str:
    return set_cell_size(_cropped(text, width), width)


def _cells(found: TaskStatus) -> tuple[str, ...]:
    made = found.report
    if made is None:
        return _word(found.exit_status), "-", "-", "-", "-", found.message
    unfinished = made.counts.reading + made.counts.unowned + made.counts.waiting
    alive = sum(1 for daemon in made.daemons if daemon.alive)
    return (
        _state(found, made),
        "lost" if found.has_losses else short(made.lag_seconds),
        f"{made.counts.reading}/{unfinished}",
        f"{alive}/{len(made.daemons)}",
        _verified(made),
        _wrong(found),
    )


def _state(found: TaskStatus, made: StatusReport) -> str:
    if found.exit_status == 0 and made.replica and not made.replica.is_made:
        return replica.brief(made.replica)
    is_plain = found.exit_status != 1 or made.state in {"running", "unknown"}
    return _word(found.exit_status) if is_plain else made.state


def _verified(made: StatusReport) -> str:
    """How long ago the last whole verification began."""
    if not made.verification:
        return "-"
    age = made.verification.age_seconds
    return "not yet" if age is None else f"{short(age)} ago"


def _wrong(found: TaskStatus) -> str:
    """The first finding, and how many there are besides."""
    findings = found.findings
    if not findings:
        return ""
    more = f" (+{len(findings) - 1})" if len(findings) > 1 else ""
    return f"{findings[0].id}{more}: {findings[0].object}: {findings[0].value}"


def short(seconds: float | None) -> str:
    """A time in the largest unit of which it has two, in seven characters at most."""
    if seconds is None:
        return "?"
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"
