"""An episode in words: the faults that were done, with their times, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from tests.chaos.episode import Result
from tests.chaos.journal import Ended, Journal, Struck

if TYPE_CHECKING:
    from rich.console import Console


_MOST_SHOWN = 20


def faults(journal: Journal) -> list[str]:
    """Every fault with its time, in seconds from the episode's begin."""
    return [
        f"{entry.at - journal.began:8.2f}  {entry.name:24}{entry.detail if entry.outcome == 'done' else entry.outcome}"
        for entry in journal.entries
        if isinstance(entry, Struck)
    ]


def _first(result: Result) -> Journal:
    """What concerns all tasks is in each one's journal."""
    return result.tasks[0].journal


def ends(journal: Journal) -> Counter[int]:
    """How often a daemon ended with each status."""
    return Counter(entry.status for entry in journal.entries if isinstance(entry, Ended))


def failure(result: Result) -> str:
    """All that is needed to look into a failed episode."""
    return told(result.plan, _first(result), result.violations)


def told(plan: object, journal: Journal, violations: Sequence[str]) -> str:
    """What was done and what was found; the violations past the first few as a number."""
    left = len(violations) - _MOST_SHOWN
    more = [f"... and {left} more"] if left > 0 else []
    return "\n".join([str(plan), *faults(journal), "", *violations[:_MOST_SHOWN], *more])


def write_journals(result: Result, folder: Path) -> None:
    """Every entry of each task, and what its source did, on a line each."""
    for task in result.tasks:
        rows = [(change.made_at, f"made {change}") for change in task.history]
        rows += [(entry.at, str(entry)) for entry in task.journal.entries]
        lines = [f"{at - task.journal.began:9.3f} {text}\n" for at, text in sorted(rows)]
        (folder / f"journal-{task.number}.txt").write_text("".join(lines))


def show_faults(journals: Iterable[Journal], console: Console) -> None:
    """How often each was done."""
    done = Counter(
        entry.name
        for journal in journals
        for entry in journal.entries
        if isinstance(entry, Struck) and entry.outcome == "done"
    )
    table = Table("fault", "done", title="Faults")
    for name, count in done.most_common():
        table.add_row(name, str(count))
    console.print(table)


def show(results: Sequence[Result], console: Console) -> None:
    """One table of what was done, one of what came of it."""
    show_faults(map(_first, results), console)

    table = Table(
        "seed",
        "mode",
        "source",
        "changes",
        "writes",
        "moot",
        "rewritten",
        "checkpoints",
        "tenures",
        "replays",
        "takeovers",
        "worst gap, s",
        "dead letters",
        "ends (status: times)",
        "violations",
        title="Episodes",
    )
    for result in results:
        for task in result.tasks:
            plan, verdict = task.plan, task.verdict
            table.add_row(
                f"{result.plan.seed}, task {task.number}" if result.plan.is_of_many else str(result.plan.seed),
                plan.write_mode + ("" if plan.coalesce else ", each"),
                f"{result.plan.shards} shards" if result.plan.simulated else "local",
                str(task.changes),
                str(verdict.writes),
                str(verdict.moot),
                str(verdict.rewritten),
                str(verdict.checkpoints),
                str(verdict.tenures),
                str(verdict.replays),
                str(verdict.takeovers),
                f"{verdict.worst_gap_seconds:.1f}",
                str(task.letters),
                ", ".join(f"{status}: {count}" for status, count in sorted(ends(_first(result)).items())),
                str(len(verdict.violations)),
            )
    console.print(table)
