"""One struct of what was seen and what is wrong with it: JSON for scripts. Pure; ``render.py`` shows it to people."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import msgspec

from processor.reporting.findings import Finding
from processor.settings.settings import Settings
from processor.state.checkpoint_outage import CheckpointOutage
from processor.state.holds import Hold
from processor.state.liveness import Daemon
from processor.state.status import judgement, replica
from processor.state.status.copy_progress import CopyProgress
from processor.state.status.letters import LettersFound
from processor.state.status.lineage import ShardState
from processor.state.status.replica import ReplicaProgress
from processor.state.status.snapshot import Seen, Stream
from processor.state.status.verification import Verification

# Exit status.
HEALTHY, NOT_HEALTHY, UNREACHABLE = 0, 1, 5

State = Literal["running", "starting", "stopped", "never started", "unknown"]


class TableStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table. ``status`` is DynamoDB's word, or MISSING, or None if it can't be read."""

    region: str
    table: str
    endpoint: str | None
    status: str | None


class ShardCounts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Numbers of shards; each is one of reading, waiting, finished and unowned. ``open`` ones still get records."""

    open: int
    reading: int
    waiting: int
    finished: int
    unowned: int


class StatusReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A task's state.

    ``lag_seconds`` is the largest of all shards, or None if none is known. With ``lag_about``, it and the shards' own
    may be wrong by a minute, because the source rounds its records' times to the minute. With
    ``checkpoint_interval_seconds``, each may really be smaller by up to that interval, because only checkpoints show
    what is applied. ``filtered`` is the sum of the shards' own: records up to their checkpoints that the settings leave
    out; None if none are counted. ``verification`` is there with ``verifyEvery``, and ``replica`` where the
    task makes its replica by itself, or copies again what was lost. ``uplink`` is the report of a two-way task's other
    direction, where this is ``both``; ``conflicts`` are in that one.
    """

    task_name: str
    state: State
    exit_status: int
    max_lag_seconds: int
    lag_seconds: float | None
    lag_about: bool
    checkpoint_interval_seconds: float
    checkpoint_table: str
    source: TableStatus
    destination: TableStatus
    stream: Stream | None
    counts: ShardCounts
    daemons: list[Daemon]
    copy: CopyProgress | None
    dead_letters: LettersFound | None
    filtered: int | None
    holds: list[Hold]
    checkpoint_outage: CheckpointOutage | None
    findings: list[Finding]
    shards: list[ShardState]
    conflicts: LettersFound | msgspec.UnsetType = msgspec.UNSET
    verification: Verification | msgspec.UnsetType = msgspec.UNSET
    replica: ReplicaProgress | msgspec.UnsetType = msgspec.UNSET
    uplink: StatusReport | msgspec.UnsetType = msgspec.UNSET


def both(mirror: StatusReport, uplink: StatusReport) -> StatusReport:
    """One report of a two-way task, for scripts: the mirror's, with the worst exit status and the findings of both."""
    return msgspec.structs.replace(
        mirror,
        exit_status=max(mirror.exit_status, uplink.exit_status),
        findings=[*mirror.findings, *uplink.findings],
        uplink=uplink,
    )


def make(settings: Settings, seen: Seen, *, max_lag_seconds: int) -> StatusReport:
    """Judge what was seen.

    :param max_lag_seconds: how far a healthy shard may be behind
    """
    counted = Counter(shard.state for shard in seen.shards)
    filtered = [shard.filtered for shard in seen.shards if shard.filtered is not None]
    lags = [shard.lag_seconds for shard in seen.shards if shard.lag_seconds is not None]
    made = replica.progress(seen)
    findings = [*judgement.findings(settings, seen, made, max_lag_seconds=max_lag_seconds)]
    return StatusReport(
        task_name=settings.task_name,
        state=_state(seen),
        exit_status=UNREACHABLE if seen.unread else NOT_HEALTHY if findings else HEALTHY,
        max_lag_seconds=max_lag_seconds,
        lag_seconds=max(lags, default=None),
        lag_about=seen.lag_about,
        checkpoint_interval_seconds=settings.checkpoint_interval_millis / 1000,
        checkpoint_table=settings.checkpoint_table,
        source=TableStatus(
            region=settings.source_region,
            table=settings.source_table,
            endpoint=settings.source_endpoint,
            status=_table_status(seen, "source", seen.source),
        ),
        destination=TableStatus(
            region=settings.destination_region,
            table=settings.destination_table,
            endpoint=settings.destination_endpoint,
            status=_table_status(seen, "destination", seen.destination),
        ),
        stream=seen.stream,
        counts=ShardCounts(
            open=sum(1 for shard in seen.shards if shard.open),
            reading=counted["reading"],
            waiting=counted["waiting"],
            finished=counted["finished"],
            unowned=counted["unowned"],
        ),
        daemons=seen.daemons,
        copy=seen.copy,
        dead_letters=seen.dead_letters,
        filtered=sum(filtered) if filtered else None,
        holds=seen.holds,
        checkpoint_outage=seen.checkpoint_outage,
        findings=findings,
        shards=seen.shards,
        conflicts=msgspec.UNSET if seen.conflicts is None else seen.conflicts,
        verification=msgspec.UNSET if seen.verification is None else seen.verification,
        replica=msgspec.UNSET if made is None else made,
    )


def _state(seen: Seen) -> State:
    if not seen.could_read("leases"):
        return "unknown"
    if seen.is_starting:
        return "starting"
    if seen.is_running:
        return "running"
    return "never started" if seen.leases is None else "stopped"


def _table_status(seen: Seen, what: str, described: dict[str, Any] | None) -> str | None:
    if described is not None:
        return str(described["TableStatus"])
    return "MISSING" if seen.could_read(what) else None
