"""Sentences, and rows written by hand, that tell what was measured: each figure in them is one of figures.json."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from processor.startup import java
from tests.bench import quiet_goals

if TYPE_CHECKING:
    from tests.bench.performance import Measured

# A scan of the lease table where a daemon has one shard alone, $ a month: docs/tuning.md counts it.
_SCANS_DOLLARS = 0.05
_HOLE = "{}"
_NUMBER = r"(\d[\d,.]*(?<![,.]))"


class Figure(NamedTuple):
    """One figure, told with this many significant digits.

    :param name: as the bench names it; after a bar what is told instead of the median
    """

    name: str
    digits: int


class Money(NamedTuple):
    """What the calls of a kind of shard come to in a month, in dollars.

    :param bench: begins the names of its figures
    """

    bench: str
    digits: int
    more: float = 0


class Statement(NamedTuple):
    """A piece of a page, with a hole for each figure. It stands there once."""

    page: str
    text: str
    figures: tuple[Figure | Money, ...]


_LAG, _LAG_P95, _LAG_MOST = Figure("lag, s", 1), Figure("lag, s|p95", 2), Figure("lag, s|max", 2)
_FIRST, _AFTER_TERM, _AFTER_KILL = (
    Figure(f"{name}, s", 2) for name in ("first start", "after SIGTERM", "after kill -9")
)
_DEATH = "500 leases, kill -9 of one: all its leases held again, s"


def _spread(name: str, digits: int) -> tuple[Figure, ...]:
    """The median, the least and the most."""
    return tuple(Figure(f"{name}{column}", digits) for column in ("", "|min", "|max"))


def _row(*names: str) -> tuple[Figure, ...]:
    """Each with its spread."""
    return tuple(figure for name in names for figure in _spread(name, 3))


_QUIET = Money("idle, each further", 2, _SCANS_DOLLARS)

STATEMENTS = (
    Statement("README.md", "- {} s from a write at the source to its copy, {} s from the command", (_LAG, _FIRST)),
    Statement("README.md", "and {} s until\n  other daemons write the shards", (Figure(f"{_DEATH}|max", 1),)),
    Statement(
        "README.md",
        "- {} changes of 200 bytes a second from one shard's backlog, at {} µs of CPU each, "
        "if the destination answers at once; {} if it is 80 ms away.",
        (
            Figure("drain: records/s", 3),
            Figure("drain: CPU of JVM and children, µs/record", 2),
            Figure("latency 80 ms: records/s", 3),
        ),
    ),
    Statement(
        "README.md",
        "a month: {} $ for a quiet shard, {} $ for one that is written all the time;",
        (_QUIET, Money("written, each further", 2)),
    ),
    Statement("docs/tuning.md", "| `lag` | {} s median, {} s p95, {} s at most |", (_LAG, _LAG_P95, _LAG_MOST)),
    Statement("docs/tuning.md", "| `start` | {} s, {} s, {} s median;", (_FIRST, _AFTER_TERM, _AFTER_KILL)),
    Statement(
        "docs/tuning.md",
        "| `shards` | JVM {} and {} MB, each child {} MB,",
        (Figure("1 shards: JVM, MB", 2), Figure("8 shards: JVM, MB", 2), Figure("1 shards: each child, MB", 2)),
    ),
    Statement("docs/global-tables.md", "| {} s median, {} s at most, [measured]", (_LAG, _LAG_MOST)),
    Statement(
        "docs/operations.md",
        "a first daemon has all leases after {} s; when 15 more are started, leases are even after {} s, and when one "
        "of the sixteen dies, its leases are held again after {} to\n{} s (`./test.sh bench leases`:",
        (
            Figure("500 leases, one worker: has all, s", 1),
            Figure("500 leases, 1 to 16 workers: even, s", 2),
            Figure(f"{_DEATH}|min", 2),
            Figure(f"{_DEATH}|max", 2),
        ),
    ),
    Statement(
        "docs/how-it-works.md",
        "it takes {} s at the first start, {} s after SIGTERM, and {} s\nafter `kill -9` (medians of five,",
        (_FIRST, _AFTER_TERM, _AFTER_KILL),
    ),
    Statement(
        "docs/performance.md",
        "(`quiet-500`): {} MB for each child, and {} % of a core,",
        (Figure("idle, 500: child, proportional, MB", 2), Figure("idle, 500: CPU, % of a core", 3)),
    ),
    Statement(
        "docs/performance.md",
        "All are read {} s after the command, of which {} s are CPU",
        (
            Figure("idle, 500: command to all shards read, s", 1),
            Figure("idle, 500: CPU until all shards are read, s", 2),
        ),
    ),
    Statement(
        "docs/performance.md",
        "one that answers at once took {} records/s",
        (Figure("8 tasks, one drains a backlog: its records/s", 3),),
    ),
    Statement(
        "docs/performance.md",
        "{} s from hub to spoke (p95 {} s), {} s from spoke to hub (p95 {} s).",
        tuple(
            Figure(f"lag, {way}, s{column}", digits)
            for way in ("hub to spoke", "spoke to hub")
            for column, digits in (("", 2), ("|p95", 3))
        ),
    ),
    *(
        Statement("docs/verify.md", f"| {tables} | {{}} ({{}} to {{}}) | {{}} ({{}} to {{}}) |", _row(*names))
        for tables, names in (
            ("the same bytes in the same order", ("verify, items/s", "verify, 1 process, items/s")),
            *(
                (
                    f"the {what} in another order",
                    (
                        f"verify, {what} in another order, items/s",
                        f"verify, {what} in another order, 1 process, items/s",
                    ),
                )
                for what in ("attributes", "items")
            ),
        )
    ),
    Statement(
        "docs/verify.md",
        "An item costs {} µs of CPU where the bytes are the same, and the process {} MB.",
        (Figure("verify, µs CPU/item", 2), Figure("verify, MB", 2)),
    ),
    Statement(
        "docs/verify.md",
        "three\nprocesses compare {} items a second, {} times what one does,",
        (
            Figure("verify, 20 ms away, 3 processes, items/s", 3),
            Figure("verify, 20 ms away, 3 processes against 1, times", 2),
        ),
    ),
    Statement(
        "docs/verify.md",
        "[three machines](#several-machines) {}, {} times as many as one.",
        (
            Figure("verify, 20 ms away, 3 machines, items/s", 3),
            Figure("verify, 20 ms away, 3 machines against 1, times", 2),
        ),
    ),
    Statement(
        "docs/tuning.md",
        "| {} ({} to {}) by two processes, where one made {} ({} to {}) in runs between these; "
        "three processes 20 ms away {} times ({} to {}) what one makes;",
        (
            *_row("copy, items/s", "copy, 1 process, items/s"),
            *_spread("copy, 20 ms away, 3 processes against 1, times", 2),
        ),
    ),
    Statement(
        "docs/tuning.md",
        "verify: {} ({} to {}) by one process, {} ({} to {}) by two |",
        _row("verify, 1 process, items/s", "verify, items/s"),
    ),
)


def rounded(value: float, digits: int) -> str:
    """A number with that many significant digits, and commas between thousands."""
    value = float(f"{value:.{digits - 1}e}")
    decimals = digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)
    return f"{value:,.{max(decimals, 0)}f}"


def value(figure: Figure | Money, measured: Measured) -> float | None:
    """What was measured; None where nothing was."""
    if isinstance(figure, Money):
        found = quiet_goals.dollars(measured.benches, figure.bench)
        return None if found is None else found + figure.more
    name, _, column = figure.name.partition("|")
    row = measured.row(name)
    return None if row is None else float(row[column or "median"])


def pattern(text: str) -> re.Pattern[str]:
    """What finds a statement, whichever figures are in its holes."""
    return re.compile(_NUMBER.join(map(re.escape, text.split(_HOLE))))


def rendered(page: str, text: str, measured: Measured) -> str:
    """A page's text with what was measured in each of its statements.

    :raises AssertionError: a statement isn't there once
    """
    for statement in STATEMENTS:
        if statement.page != page:
            continue
        found = [value(each, measured) for each in statement.figures]
        numbers = [
            None if number is None else rounded(number, each.digits)
            for number, each in zip(found, statement.figures, strict=True)
        ]
        text, count = pattern(statement.text).subn(_filler(statement.text, numbers), text)
        assert count == 1, f"{page} has this {count} times: {statement.text}"
    return text


def _filler(text: str, numbers: list[str | None]) -> Callable[[re.Match[str]], str]:
    def filled(match: re.Match[str]) -> str:
        """One that was not measured stays as it is."""
        parts = text.split(_HOLE)
        holes = [match[place] if number is None else number for place, number in enumerate(numbers, start=1)]
        return "".join(part for pair in zip(parts, [*holes, ""], strict=True) for part in pair)

    return filled


def pages() -> Mapping[str, str]:
    """The text of each page that has statements, by its path in the checkout."""
    return {page: (java.ROOT / page).read_text() for page in dict.fromkeys(each.page for each in STATEMENTS)}


def renew(measured: Measured) -> None:
    """Write what was measured into all of them."""
    for page, text in pages().items():
        (java.ROOT / page).write_text(rendered(page, text, measured))
