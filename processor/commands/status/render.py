"""Shows a report to people: a line for each thing, what is wrong, and the shards that are not finished."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from processor.reporting.durations import duration
from processor.reporting.rich_console import Message, cell
from processor.state.status import replica, urgency, verification
from processor.state.status.copy_progress import CopyProgress
from processor.state.status.lineage import ShardState
from processor.state.status.report import StatusReport, TableStatus

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

# The most lines that a person reads; --json has all.
SHOWN = 40
_HEALTHY = {0: "healthy", 1: "not healthy", 5: "not known"}
# From here on there is room for checkpoints beside a shard's name and owner.
_CHECKPOINT_COLUMNS = 100


def headline(report: StatusReport) -> str:
    """The task's state in one line."""
    counts = report.counts
    shards = f"{counts.reading} reading, {counts.waiting} waiting, {counts.unowned} without an owner"
    alive = sum(1 for daemon in report.daemons if daemon.alive)
    parts = [
        f"{_HEALTHY[report.exit_status]}, {report.state}",
        f"lag {_bound(report, report.lag_seconds, about='about ', at_most='up to ')}{duration(report.lag_seconds)}",
        f"shards: {shards}, {counts.finished} finished",
        f"daemons: {alive}" + (f" of {len(report.daemons)} alive" if alive < len(report.daemons) else ""),
    ]
    if report.verification:
        last = report.verification.last
        parts.append(f"verified {verification.outcome(last)}" if last else "not verified yet")
    if report.replica and not report.replica.is_made:
        parts.append(f"replica {replica.brief(report.replica)}")
    return "; ".join(parts)


def _bound(report: StatusReport, seconds: float | None, *, about: str, at_most: str) -> str:
    """How a lag is to be taken that may be wrong by a minute, or less for what is applied and not checkpointed."""
    if not seconds:
        return ""
    return about if report.lag_about else at_most if report.checkpoint_interval_seconds else ""


def render(report: StatusReport) -> RenderableType:
    """The whole report except finished shards."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    for name, value in _facts(report):
        facts.add_row(name, cell(value))
    parts: list[RenderableType] = [facts]
    if report.findings:  # before the shards, because a small terminal loses the last lines
        parts += [Text(), *(Message(line) for finding in report.findings for line in finding.lines)]
    rows = sorted((shard for shard in report.shards if shard.state != "finished"), key=urgency.of_shard)
    if rows:
        parts += [Text(), _Shards(rows[:SHOWN], report)]
        if len(rows) > SHOWN:
            parts.append(Text(f"and {len(rows) - SHOWN} more; --json has all of them"))
    return Group(*parts)


def _facts(report: StatusReport) -> list[tuple[str, str]]:
    stream, letters, counts = report.stream, report.dead_letters, report.counts
    facts = [
        ("task", f"{report.task_name}: {headline(report)}"),
        ("source", _table_line(report.source)),
        ("destination", _table_line(report.destination)),
        ("stream", f"{stream.arn}, {stream.view_type}, {stream.status or 'not read'}" if stream else "none"),
        ("checkpoints", report.checkpoint_table),
        ("shards", f"{counts.open} open; {counts.finished} finished; {counts.waiting} wait for a parent"),
    ]
    facts += [
        ("daemon", f"{daemon.owner}: {'alive' if daemon.alive else 'does not renew'}, {daemon.shards} shards")
        for daemon in report.daemons
    ]
    if report.replica:
        facts.append(("replica", replica.sentence(report.replica)))
    if report.copy is not None:
        facts.append(("copy", _copy(report.copy)))
    if report.verification:
        facts.append(("verified", verification.sentence(report.verification)))
    if letters is not None:
        facts.append(("dead letters", f"{'more than ' if letters.more else ''}{letters.count} in {letters.place}"))
    if report.conflicts:
        conflicts = report.conflicts
        facts.append(("conflicts", f"{'more than ' if conflicts.more else ''}{conflicts.count} in {conflicts.place}"))
    if report.filtered is not None:
        facts.append(("filtered", f"{report.filtered:,} records of shards with a lease wrote nothing"))
    return facts


def _copy(copy: CopyProgress) -> str:
    left_out = f" and {copy.filtered:,} left out" if copy.filtered else ""
    if copy.state == "done":
        return f"done, {copy.items:,} items{left_out}{', and replicated since' if copy.followed else ''}"
    return (
        f"not through, {copy.items:,}{left_out} of some {copy.expected_items:,} items, {copy.segments_done} of "
        f"{copy.segments} segments done, begun by {copy.host}"
    )


def _table_line(table: TableStatus) -> str:
    at = f" at {table.endpoint}" if table.endpoint else ""
    return f"{table.table} in {table.region}{at}, {table.status or 'not read'}"


class _Shards:
    """The table of shards. A narrow terminal has no room for checkpoints, which ``--json`` has."""

    def __init__(self, shards: list[ShardState], report: StatusReport) -> None:
        self._shards = shards
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich's console protocol."""
        yield _table(self._shards, self._report, checkpoints=options.max_width >= _CHECKPOINT_COLUMNS)


def _table(shards: list[ShardState], report: StatusReport, *, checkpoints: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("shard", no_wrap=True, min_width=8)
    table.add_column("state", no_wrap=True)
    table.add_column("lag", justify="right", no_wrap=True)
    table.add_column("owner", overflow="fold", min_width=8)
    if checkpoints:
        table.add_column("checkpoint", overflow="fold", min_width=10)
    counted = any(shard.filtered is not None for shard in shards)
    if counted:
        table.add_column("filtered", justify="right", no_wrap=True)
    table.add_column("note", overflow="fold", min_width=4)
    for shard in shards:
        note = shard.note or ("for its parent" if shard.state == "waiting" else "")
        bound = _bound(report, shard.lag_seconds, about="~", at_most="<")
        lag = "lost" if shard.lost else bound + duration(shard.lag_seconds)
        filtered = ["-" if shard.filtered is None else f"{shard.filtered:,}"] if counted else []
        checkpoint = [shard.checkpoint or "-"] if checkpoints else []
        cells = (shard.shard_id, shard.state, lag, shard.owner or "-", *checkpoint, *filtered, note)
        table.add_row(*map(cell, cells))
    return table


def line(report: StatusReport, at: datetime) -> str:
    """One line for a log with many."""
    return f"{at.isoformat(timespec='seconds')} {report.task_name}: {headline(report)}"
