"""A task's standing, as a test wants it."""

from __future__ import annotations

from typing import Any

from processor.caretaker.duty import Standing
from processor.settings.settings import Settings
from processor.state import task_row
from processor.state.care_row import CareRow
from processor.state.copy_rows import CopyState
from processor.state.holds import Hold
from processor.state.leases import Lease
from processor.state.liveness import Daemon
from processor.state.status import report
from processor.state.status.lineage import ShardState
from processor.state.status.snapshot import Seen, Unread

ARN = "arn:aws:dynamodb:us-east-1:1:table/orders/stream/2026"
# Of the look, in milliseconds since the epoch.
NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000


def loss(since_ms: int) -> Hold:
    """A shard's changes are lost."""
    return Hold(kind="loss", shard_id="shardId-1", since_ms=since_ms, seen_ms=since_ms, sequence_number="1")


def copy(**changed: Any) -> CopyState:
    """A complete copy, begun an hour before the look."""
    made: dict[str, Any] = {
        "id": "c",
        "state": "done",
        "concurrent": True,
        "started_ms": NOW_MS - HOUR_MS,
        "stream_arn": ARN,
        "destination_id": "d",
    }
    return CopyState(**(made | changed))


def standing(
    settings: Settings,
    care: CareRow,
    *,
    copied: CopyState | None = None,
    lag_seconds: float | None = 0.0,
    holds: tuple[Hold, ...] = (),
    alive: bool = True,
    unread: tuple[str, ...] = (),
) -> Standing:
    """A task of one shard, read by one daemon."""
    shard = ShardState(
        shard_id="shardId-1",
        state="reading",
        open=True,
        owner="w",
        checkpoint="5",
        parent=None,
        parent_state=None,
        lag_seconds=lag_seconds,
        lost=False,
        finished_early=False,
        note="",
    )
    seen = Seen(
        task=task_row.of(settings, ARN),
        destination={"TableId": "d", "TableStatus": "ACTIVE"},
        leases=[Lease(shard_id="shardId-1", owner="w", counter=1, checkpoint="5", parents=())],
        daemons=[Daemon(owner="w", shards=1, alive=alive)],
        shards=[shard],
        holds=list(holds),
        unread=[Unread(what=what, reason="throttled") for what in unread],
    )
    made = report.make(settings, seen, max_lag_seconds=60)
    return Standing(settings=settings, report=made, seen=seen, care=care, copy=copied, at=NOW_MS / 1000)
