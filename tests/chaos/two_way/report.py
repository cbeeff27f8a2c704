"""Episodes with applications on both sides, in words: the faults that were done, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from tests.chaos.report import ends, show_faults, told
from tests.chaos.two_way.episode import Result
from tests.chaos.two_way.images import shown

if TYPE_CHECKING:
    from rich.console import Console


def failure(result: Result) -> str:
    """All that is needed to look into a failed episode."""
    return told(result.plan, result.journal, result.violations)


def write_histories(result: Result, folder: Path) -> None:
    """Of each side, what applications wrote, what the replicator wrote and what is in the stream, on a line each."""
    began = result.journal.began
    for name, book in result.books.items():
        rows = [
            (each.acknowledged, f"{each.key}: {each.way} {each.number}: {shown(each.old)} -> {shown(each.new)}")
            for each in book.wrote
        ]
        rows += [
            (each.at, f"{each.key}: replicator's {each.operation} {shown(each.new)}{' (marks)' if each.marker else ''}")
            for each in book.replicated
        ]
        lines = [f"{at - began:9.3f} {text}\n" for at, text in sorted(rows)]
        lines += [
            f"{each.sequence} {each.key}: {shown(each.old)} -> {shown(each.new)}\n"
            for each in sorted(book.records, key=lambda record: (record.key, record.sequence))
        ]
        (folder / f"history-{name}.txt").write_text("".join(lines))
    machines = [f"{each.at - began:9.3f} {each}\n" for each in result.journal.entries]
    (folder / "journal.txt").write_text("".join(machines))


def show(results: Sequence[Result], console: Console) -> None:
    """One table of what was done, one of what came of it."""
    show_faults((result.journal for result in results), console)

    table = Table(
        "seed",
        "conflicts",
        "writes of applications",
        "records in both streams",
        "records per write",
        "entries (outcome: times)",
        "spurious",
        "again",
        "unsaid",
        "ends (status: times)",
        "violations",
        title="Episodes",
    )
    for result in results:
        verdict = result.verdict
        table.add_row(
            str(result.plan.seed),
            result.plan.policy,
            str(verdict.writes),
            str(verdict.records),
            f"{verdict.records_per_write:.2f}",
            _counted(verdict.outcomes),
            str(verdict.spurious),
            str(verdict.again),
            str(verdict.unsaid),
            _counted(ends(result.journal)),
            str(len(result.violations)),
        )
    console.print(table)


def _counted(counter: Counter[str] | Counter[int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counter.items()))
