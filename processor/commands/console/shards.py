"""The shards' table: a row for each, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processor.commands.console.known import Known
from processor.commands.console.verdict import Level
from processor.state.status import urgency
from processor.state.status.lineage import ShardState
from processor.state.status.report import StatusReport

# The most shards that a person reads; status --json has all.
MOST_SHARDS = 100


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the shards' table."""

    id: str
    state: str
    level: Level
    lag: str
    pending: str
    daemon: str
    checkpoint: str
    note: str


class Shards(msgspec.Struct, frozen=True, kw_only=True):
    """The shards: how many stand how, and the worst of them."""

    summary: str
    rows: Sequence[Shard]
    more: str = ""


def of_report(known: Known, report: StatusReport) -> Shards:
    """All that are not finished, the worst first."""
    counts = report.counts
    parts = (
        ("without an owner", counts.unowned),
        ("waiting for a parent", counts.waiting),
        ("being read", counts.reading),
        ("finished", counts.finished),
    )
    rows = sorted((shard for shard in report.shards if shard.state != "finished"), key=urgency.of_shard)
    return Shards(
        summary=", ".join(f"{number:,} {what}" for what, number in parts if number) or "none",
        rows=[_shard(shard, known, report) for shard in rows[:MOST_SHARDS]],
        more=f"and {len(rows) - MOST_SHARDS:,} more; status --json has all of them" if len(rows) > MOST_SHARDS else "",
    )


def _shard(shard: ShardState, known: Known, report: StatusReport) -> Shard:
    lag = known.lags.get(shard.shard_id)
    pending = lag.pending if lag else None
    holds = [hold.kind for hold in report.holds if hold.shard_id == shard.shard_id]
    is_late = (shard.lag_seconds or 0) > report.max_lag_seconds
    is_bad = shard.lost or shard.state == "unowned" or shard.finished_early or bool(holds) or is_late
    waits = {"hold": "held at a change", "outage": "the destination takes no writes", "loss": "has lost changes"}
    note = shard.note or ("for its parent" if shard.state == "waiting" else "")
    return Shard(
        id=shard.shard_id,
        state=shard.state,
        level="bad" if is_bad else "ok" if shard.lag_seconds is not None else "unknown",
        lag="lost" if shard.lost else known.lag(report, shard.lag_seconds),
        pending="?" if pending is None else f"{pending.count:,}{'+' if pending.more else ''}",
        daemon=shard.owner or "nobody",
        checkpoint=shard.checkpoint or "none yet",
        note="; ".join(filter(None, (*(waits[kind] for kind in holds), note))),
    )
