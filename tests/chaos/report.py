"""An episode in words: the faults that were done, with their times, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from tests.chaos.episode import Result
from tests.chaos.journal import Ended, Struck

if TYPE_CHECKING:
    from rich.console import Console


def faults(result: Result) -> str:
    """Every fault with its time, in seconds from the episode's begin."""
    began = result.journal.began
    return "\n".join(
        f"{entry.at - began:8.2f}  {entry.name:24}{entry.detail if entry.outcome == 'done' else entry.outcome}"
        for entry in result.journal.entries
        if isinstance(entry, Struck)
    )


def ends(result: Result) -> Counter[int]:
    """How often a daemon ended with each status."""
    return Counter(entry.status for entry in result.journal.entries if isinstance(entry, Ended))


def failure(result: Result) -> str:
    """All that is needed to look into a failed episode."""
    return f"{result.plan}\n{faults(result)}\n\n{result.verdict.shown()}"


def write_journal(result: Result, file: Path) -> None:
    """Every entry, and what the source did, on a line each."""
    rows = [(change.made_at, f"made {change}") for change in result.history]
    rows += [(entry.at, str(entry)) for entry in result.journal.entries]
    file.write_text("".join(f"{at - result.journal.began:9.3f} {text}\n" for at, text in sorted(rows)))


def show(results: Sequence[Result], console: Console) -> None:
    """One table of what was done, one of what came of it."""
    done: Counter[str] = Counter()
    for result in results:
        done.update(
            entry.name for entry in result.journal.entries if isinstance(entry, Struck) and entry.outcome == "done"
        )
    table = Table("fault", "done", title="Faults")
    for name, count in done.most_common():
        table.add_row(name, str(count))
    console.print(table)

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
        plan, verdict = result.plan, result.verdict
        table.add_row(
            str(plan.seed),
            plan.write_mode + ("" if plan.coalesce else ", each"),
            f"{plan.shards} shards" if plan.simulated else "local",
            str(len(result.history)),
            str(verdict.writes),
            str(verdict.moot),
            str(verdict.rewritten),
            str(verdict.checkpoints),
            str(verdict.tenures),
            str(verdict.replays),
            str(verdict.takeovers),
            f"{verdict.worst_gap_seconds:.1f}",
            str(result.letters),
            ", ".join(f"{status}: {count}" for status, count in sorted(ends(result).items())),
            str(len(verdict.violations)),
        )
    console.print(table)
