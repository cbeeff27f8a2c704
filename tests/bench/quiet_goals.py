"""What a quiet shard is to cost, beside what it does: whether each goal is met, and what the dollars are made of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Row

Benches = Mapping[str, list[Row]]

# us-east-1, on demand, November 2026 (docs/tuning.md): $ a million of each.
_READ_OF_STREAM, _WRITE_UNIT = 0.2, 0.625
_MONTH_SECONDS = 365 / 12 * 86_400


class Goal(NamedTuple):
    """One row: a figure as the benches name it, the most it may be, and what it was before ``before``.

    ``column``: of the figure's row.
    """

    measure: str
    figure: str
    most: float
    unit: str
    before: str
    column: str = "median"


GOALS = (
    Goal("CPU, one idle shard, whole daemon", "idle, 1: CPU, % of a core", 0.8, "%", "4.3"),
    Goal("CPU, each further idle shard", "idle, each further: CPU, % of a core", 0.1, "%", "0.9"),
    Goal("CPU, one shard written every 0.1 s", "written, 1: CPU, % of a core", 4, "%", "11.1"),
    Goal("its lag, median", "written, 1: lag, s", 0.09, "s", "0.086"),
    Goal("its lag, p95", "written, 1: lag, s", 0.15, "s", "0.139", "p95"),
    Goal("CPU, each further such shard", "written, each further: CPU, % of a core", 1.5, "%", "3.4 to 4.3"),
    Goal("private memory of a child, written", "written, 9: child, private, MB", 6, "MB", "23 to 28"),
    Goal("proportional memory of the same", "written, 9: child, proportional, MB", 10, "MB", ""),
    Goal("a child's start, CPU", "quiet child: CPU to its first answer, s", 0.03, "s", "0.23"),
    Goal("a child's start, to its first answer", "quiet child: to its first answer, s", 0.1, "s", "0.4"),
    Goal("resident memory, one idle shard, all processes", "idle, 1: all processes, resident, MB", 150, "MB", "227"),
    Goal("500 idle shards, CPU", "idle, 500: CPU, % of a core", 60, "%", "450"),
    Goal("500 idle shards, memory (proportional)", "idle, 500: all processes, proportional, MB", 4096, "MB", "24,000"),
    Goal("500 idle shards, command to all read", "idle, 500: command to all shards read, s", 60, "s", ""),
    Goal("500 shards, a write a second, lag p95", "spread, 500: lag, s", 1.2, "s", "", "p95"),
    Goal("the same, CPU", "spread, 500: CPU, % of a core", 100, "%", ""),
    Goal("500 leases, from 1 to 16 daemons: even", "500 leases, 1 to 16 workers: even, s", 60, "s", ""),
    Goal(
        "the same, one dies: its leases held again",
        "500 leases, kill -9 of one: all its leases held again, s",
        10,
        "s",
        "",
        "max",
    ),
)


class Money(NamedTuple):
    """What one kind of shard's calls come to in a month. ``bench`` begins the names of its figures."""

    measure: str
    bench: str
    most: float
    before: str


MONEY = (
    Money("an idle shard, a month", "idle, each further", 0.6, "3.0"),
    Money("a shard written all the time, a month", "written, each further", 5, "12 to 16"),
)


def rows(measured: Benches) -> list[tuple[str, str, str, str, str]]:
    """Measure, before, goal, what was measured, and whether that is met; of what was measured only."""
    found = {row["figure"]: row for made in measured.values() for row in made}
    made = []
    for goal in GOALS:
        if row := found.get(goal.figure):
            value = row[goal.column]
            varies = row["n"] > 1 and goal.column == "median"
            spread = f" ({_shown(row['min'])} to {_shown(row['max'])})" if varies else ""
            made.append(
                (
                    goal.measure,
                    goal.before,
                    f"≤ {goal.most:g} {goal.unit}",
                    f"{_shown(value)}{spread}",
                    _met(value, goal.most),
                )
            )
    for money in MONEY:
        if shares := _shares(found, money.bench):
            total = _total(shares)
            words = " + ".join(
                f"{calls:.2f}/s {what} at {dollars / calls:.2f} $ = {dollars:.2f} $" for what, calls, dollars in shares
            )
            made.append(
                (money.measure, money.before, f"≤ {money.most:g} $", f"{total:.2f} $: {words}", _met(total, money.most))
            )
    return made


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _met(value: float, most: float) -> str:
    return "met" if value <= most else "missed"


def _shares(found: Mapping[str, Row], bench: str) -> list[tuple[str, float, float]]:
    """Calls a second by what they are, and what each kind comes to in a month."""
    prices = (
        ("GetRecords", f"{bench}: stream GetRecords, 1/s", _READ_OF_STREAM),
        ("renewals and checkpoints", f"{bench}: checkpoints UpdateItem, 1/s", _WRITE_UNIT),
    )
    return [
        (what, calls, calls * _MONTH_SECONDS / 1e6 * price)
        for what, figure, price in prices
        if figure in found and (calls := found[figure]["median"]) > 0
    ]


def _total(shares: list[tuple[str, float, float]]) -> float:
    return sum(in_a_month for _, _, in_a_month in shares)


def dollars(measured: Benches, bench: str) -> float | None:
    """What the calls of such a shard come to in a month; None where they were not counted.

    :param bench: begins the names of its figures
    """
    shares = _shares({row["figure"]: row for made in measured.values() for row in made}, bench)
    return _total(shares) if shares else None


def show(measured: Benches) -> None:
    """The rows as a table, for people; nothing where none of them was measured."""
    made = rows(measured)
    if made:
        table = Table("measure", "before", "goal", "measured", "")
        for row in made:
            table.add_row(*row)
        Console(width=None if os.isatty(1) else 140).print(table)
