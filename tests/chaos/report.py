"""An episode in words: the faults that were done, with their times, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from tests.chaos.episode import Result
from tests.chaos.journal import Ended, Journal, Struck

if TYPE_CHECKING:
    from rich.console import Console


_MOST_SHOWN = 20


def faults(result: Result) -> str:
    """Every fault with its time, in seconds from the episode's begin."""
    began = _first(result).began
    return "\n".join(
        f"{entry.at - began:8.2f}  {entry.name:24}{entry.detail if entry.outcome == 'done' else entry.outcome}"
        for entry in _first(result).entries
        if isinstance(entry, Struck)
    )


def _first(result: Result) -> Journal:
    """What concerns all tasks is in each one's journal."""
    return result.tasks[0].journal


def ends(result: Result) -> Counter[int]:
    """How often a daemon ended with each status."""
    return Counter(entry.status for entry in _first(result).entries if isinstance(entry, Ended))


def failure(result: Result) -> str:
    """All that is needed to look into a failed episode; the violations past the first few as a number."""
    found = result.violations
    more = [f"... and {len(found) - _MOST_SHOWN} more"] if len(found) > _MOST_SHOWN else []
    return "\n".join([f"{result.plan}\n{faults(result)}\n", *found[:_MOST_SHOWN], *more])


def write_journals(result: Result, folder: Path) -> None:
    """Every entry of each task, and what its source did, on a line each."""
    for task in result.tasks:
        rows = [(change.made_at, f"made {change}") for change in task.history]
        rows += [(entry.at, str(entry)) for entry in task.journal.entries]
        lines = [f"{at - task.journal.began:9.3f} {text}\n" for at, text in sorted(rows)]
        (folder / f"journal-{task.number}.txt").write_text("".join(lines))


def show_faults(done: Counter[str], console: Console) -> None:
    """How often each was done."""
    table = Table("fault", "done", title="Faults")
    for name, count in done.most_common():
        table.add_row(name, str(count))
    console.print(table)


def show(results: Sequence[Result], console: Console) -> None:
    """One table of what was done, one of what came of it."""
    done: Counter[str] = Counter()
    for result in results:
        done.update(
            entry.name for entry in _first(result).entries if isinstance(entry, Struck) and entry.outcome == "done"
        )
    show_faults(done, console)

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
                ", ".join(f"{status}: {count}" for status, count in sorted(ends(result).items())),
                str(len(verdict.violations)),
            )
    console.print(table)
