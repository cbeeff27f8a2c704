"""A task's figures: how far it is behind, how long that may go on, what waits, and how fast it goes. Pure."""

from __future__ import annotations

import msgspec

from processor.commands.console import words
from processor.commands.console.known import Known
from processor.commands.console.verdict import Level
from processor.dynamodb.stream_retention import RETENTION_SECONDS
from processor.reporting.durations import duration
from processor.state.status.report import StatusReport

_HOUR = 3600


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its name, and what is to be known of it. ``share``: how much of a bar is full, from 0 to 1."""

    id: str
    name: str
    value: str
    note: str = ""
    level: Level = "ok"
    share: float | None = None


def behind(known: Known, report: StatusReport) -> Figure:
    """How far the replica is behind."""
    is_late = any(finding.id == "shards-late" for finding in report.findings)
    note = "the age of the oldest change that is not applied"
    if report.lag_seconds and report.lag_about:
        note = "the source rounds its records' times to the minute"
    elif report.lag_seconds and report.checkpoint_interval_seconds:
        note = f"checkpoints are stored every {duration(report.checkpoint_interval_seconds)}"
    value = known.lag(report, report.lag_seconds)
    if any(shard.lost for shard in report.shards):
        value = "lost"
    return Figure(
        id="behind",
        name="Behind",
        value=value,
        note=note,
        level="bad" if is_late or value == "lost" else "ok" if report.lag_seconds is not None else "unknown",
    )


def left(report: StatusReport) -> Figure:
    """What is left of the 24 hours for which the stream keeps a change."""
    name, note = "Time left", "of the 24 h that the stream keeps a change"
    if any(shard.lost for shard in report.shards):
        return Figure(id="left", name=name, value="none", note=note, level="bad", share=0.0)
    if report.lag_seconds is None:
        return Figure(id="left", name=name, value="?", note=note, level="unknown")
    seconds = max(RETENTION_SECONDS - report.lag_seconds, 0)
    share = round(seconds / RETENTION_SECONDS, 3)
    value = f"{seconds / _HOUR:.1f} h" if seconds >= 2 * _HOUR else duration(seconds)
    return Figure(id="left", name=name, value=value, note=note, level="ok" if share > 0.5 else "bad", share=share)  # noqa: PLR2004  # where the daemon begins to warn


def pending(known: Known) -> Figure:
    """How many records wait in the stream."""
    name, note = "Pending", "records in the stream that are not applied"
    counts = [lag.pending for lag in known.lags.values()]
    seen = [each for each in counts if each is not None]
    if not seen and known.lags:
        return Figure(id="pending", name=name, value="?", note=note, level="unknown")
    total = sum(each.count for each in seen)
    is_more = len(seen) < len(counts) or any(each.more for each in seen)
    return Figure(id="pending", name=name, value=f"{total:,}{'+' if is_more else ''}", note=note)


def rates(known: Known) -> list[Figure]:
    """How many records are written, and applied."""
    latest = known.latest
    values = (latest.written, latest.applied) if latest else (None, None)
    notes = ("records a second, written at the source", "records a second, by what checkpoints count")
    return [
        Figure(
            id=name.lower(), name=name, value=words.rate(value), note=note, level="unknown" if value is None else "ok"
        )
        for name, value, note in zip(("Written", "Applied"), values, notes, strict=True)
    ]
