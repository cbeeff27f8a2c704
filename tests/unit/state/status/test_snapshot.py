"""What was seen of a task, brought up to date by its leases alone."""

from __future__ import annotations

import msgspec
import pytest

from processor.state import task_row
from processor.state.holds import Hold
from processor.state.leases import Lease
from processor.state.liveness import Daemon
from processor.state.status import report
from processor.state.status.lineage import Lag, StreamShard
from processor.state.status.snapshot import Seen, Stream, with_leases
from tests.fakes.task.tasks import task

NEW = Lease(shard_id="a", owner=None, counter=0, checkpoint="TRIM_HORIZON")
NOW_MS = 1_800_000_000_000
SETTINGS = task()


def _lease(shard_id: str, checkpoint: str, *, owner: str = "w-1") -> Lease:
    return Lease(shard_id=shard_id, owner=owner, counter=1, checkpoint=checkpoint)


def test_newer_leases_change_what_follows_from_them_alone() -> None:
    """A daemon that no longer renews leaves its shards without an owner; a hold that was passed is over."""
    hold = Hold(kind="hold", shard_id="a", since_ms=1, seen_ms=1, sequence_number="50")
    before = Seen(
        destination={"TableStatus": "ACTIVE"},
        stream_shards=[StreamShard(shard_id="a"), StreamShard(shard_id="b")],
        lags={"a": Lag(seconds=7.0), "b": Lag(seconds=0.0)},
        holds=[hold],
        all_holds=[hold],
    )
    daemons = [Daemon(owner="w-1", shards=1, alive=True), Daemon(owner="w-2", shards=1, alive=False)]
    after = with_leases(before, [_lease("a", "50"), _lease("b", "9", owner="w-2")], daemons)
    assert [(each.shard_id, each.state, each.lag_seconds) for each in after.shards] == [
        ("a", "reading", 7.0),
        ("b", "unowned", 0.0),
    ]
    assert (after.holds, after.all_holds, after.destination) == ([], [hold], before.destination)


def test_a_task_without_a_checkpoint_table_stays_one() -> None:
    """It was never started, which is not the same as stopped."""
    before = Seen(stream_shards=[StreamShard(shard_id="a")])
    after = with_leases(before, None, [])
    assert (after.leases, [each.note for each in after.shards]) == (None, ["no lease"])


@pytest.mark.parametrize(
    ("found", "seconds_ago", "state"),
    [
        (None, 1, "starting"),
        ([], 1, "starting"),
        ([NEW], 119, "starting"),
        ([NEW], 121, "stopped"),
        (None, 121, "never started"),
        ([msgspec.structs.replace(NEW, counter=1)], 1, "stopped"),
        ([NEW, msgspec.structs.replace(NEW, shard_id="b", owner="w-1")], 1, "stopped"),
        ([NEW], None, "stopped"),
    ],
)
def test_a_first_start_takes_its_time(found: list[Lease] | None, seconds_ago: int | None, state: str) -> None:
    """Until it has taken a lease, the task is not stopped, nor are its shards without an owner for want of a daemon."""
    first_start = "" if seconds_ago is None else str(NOW_MS - seconds_ago * 1000)
    row = msgspec.structs.replace(task_row.of(SETTINGS, "arn:stream"), first_start_ms=first_start)
    before = Seen(
        source={"TableStatus": "ACTIVE", "StreamSpecification": {"StreamEnabled": True}, "LatestStreamArn": "arn"},
        destination={"TableStatus": "ACTIVE"},
        stream=Stream(arn="arn", status="ENABLED"),
        stream_shards=[StreamShard(shard_id="a"), StreamShard(shard_id="b")],
        task=row,
        looked_ms=NOW_MS,
    )
    made = report.make(SETTINGS, with_leases(before, found, []), max_lag_seconds=60)
    assert (made.state, made.exit_status, made.counts.unowned) == (state, 1, 2)
    names = {"never started": ["never-started"], "starting": ["starting"], "stopped": ["stopped", "shards-unowned"]}
    assert [each.id for each in made.findings] == names[state]
