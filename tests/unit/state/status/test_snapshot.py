"""What was seen of a task, brought up to date by its leases alone."""

from __future__ import annotations

from processor.state.holds import Hold
from processor.state.leases import Lease
from processor.state.liveness import Daemon
from processor.state.status.lineage import Lag, StreamShard
from processor.state.status.snapshot import Seen, with_leases


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
    after = with_leases(before, [_lease("a", "50"), _lease("b", "9", owner="w-2")], daemons, from_oldest=True)
    assert [(each.shard_id, each.state, each.lag_seconds) for each in after.shards] == [
        ("a", "reading", 7.0),
        ("b", "unowned", 0.0),
    ]
    assert (after.holds, after.all_holds, after.destination) == ([], [hold], before.destination)


def test_a_task_without_a_checkpoint_table_stays_one() -> None:
    """It was never started, which is not the same as stopped."""
    before = Seen(stream_shards=[StreamShard(shard_id="a")])
    after = with_leases(before, None, [], from_oldest=True)
    assert (after.leases, [each.note for each in after.shards]) == (None, ["no lease"])
