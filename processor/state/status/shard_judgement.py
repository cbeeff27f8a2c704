"""What is wrong with a task's shards, by what was seen of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from processor.dynamodb.record_times import MINUTE_SECONDS
from processor.reporting import moments
from processor.reporting.findings import Finding, error
from processor.settings.settings import Settings
from processor.state import loss_remedies
from processor.state.holds import Hold
from processor.state.status.lineage import ShardState
from processor.state.status.snapshot import Seen


def findings(settings: Settings, seen: Seen, *, max_lag_seconds: int) -> Iterator[Finding]:
    """What is wrong with the shards, and what each waits for.

    :param max_lag_seconds: how far a healthy shard may be behind
    """
    yield from _unread(seen)
    yield from _lost(settings, seen)
    yield from _late(settings, seen, max_lag_seconds)
    yield from (_of_hold(settings, hold) for hold in seen.holds)


def _unread(seen: Seen) -> Iterator[Finding]:
    unowned = [shard for shard in seen.shards if shard.state == "unowned"]
    if unowned and seen.leases is not None and not seen.is_starting:
        yield error(
            "shards-unowned",
            f"{counted(len(unowned))} without an owner",
            _named(unowned),
            "Their changes are not applied, and lost when they are 24 hours old",
            "Start one more daemon; if maxLeasesForWorker is set, raise it",
        )
    early = [shard for shard in seen.shards if shard.finished_early]
    if early and seen.stream is not None and seen.stream.is_on:
        yield error(
            "shards-finished-early",
            f"{counted(len(early))} finished though open",
            _named(early),
            "The lease says that it is read to its end, but it still takes records: nobody reads them, and they are "
            "lost when they are 24 hours old",
            "Delete the shard's row (its leaseKey is the shard's id) from the checkpoint table: daemons then read it "
            "again, from its oldest record, to the same end",
        )


def _lost(settings: Settings, seen: Seen) -> Iterator[Finding]:
    if lost := [shard for shard in seen.shards if shard.lost]:
        yield error(
            "shards-lost",
            f"{counted(len(lost))} with changes that are lost",
            _named(lost),
            "They are past the stream's 24 hours, and were not applied",
            loss_remedies.of_shard(settings),
        )


def _late(settings: Settings, seen: Seen, max_lag_seconds: int) -> Iterator[Finding]:
    may_be_less = slack_seconds(about=seen.lag_about, interval_seconds=settings.checkpoint_interval_millis / 1000)
    late = [shard for shard in seen.shards if (shard.lag_seconds or 0) - may_be_less > max_lag_seconds]
    if late:
        late.sort(key=lambda shard: -(shard.lag_seconds or 0))
        yield error(
            "shards-late",
            f"{counted(len(late))} behind by more than {max_lag_seconds} s",
            f"the furthest by {late[0].lag_seconds:.0f} s ({_named(late)})",
            "Changes are lost when they are 24 hours old",
            "See replication.log for what delays writes; more daemons, or more capacity at the destination, may help",
        )


def slack_seconds(*, about: bool, interval_seconds: float) -> float:
    """By how much a lag may be less than it seems.

    :param about: the source rounds its records' times to the minute
    :param interval_seconds: between two checkpoints, which alone show what is applied
    """
    return (MINUTE_SECONDS if about else 0) + interval_seconds


def _of_hold(settings: Settings, hold: Hold) -> Finding:
    since = moments.of_ms(hold.since_ms)
    found = {
        "hold": (
            "shard-held",
            f"has waited at a change since {since}",
            "Nothing after it is applied in this shard, and is lost when it is 24 hours old; other shards go on",
            "Do what the reason asks for: the shard tries again every minute, and goes on by itself",
        ),
        "outage": (
            "shard-not-written",
            f"has not been able to write since {since}",
            "Its batch is kept and written again; changes are lost when they are 24 hours old",
            "Do what the reason asks for, if it does not pass: the shard goes on by itself",
        ),
        "loss": (
            "shard-lost",
            f"has lost changes, found at {since}",
            "Nothing of this shard and of those after it is applied; other shards go on"
            if hold.sequence_number
            else "All shards are read on, but changes of this one may be missing",
            loss_remedies.of_shard(settings),
        ),
    }
    name, value, consequence, remedy = found[hold.kind]
    return error(name, f"shard {hold.shard_id}", f"{value} ({hold.reason.rstrip('.')})", consequence, remedy)


def counted(number: int) -> str:
    """As ``1 shard`` and ``2 shards``."""
    return "1 shard" if number == 1 else f"{number} shards"


def _named(shards: list[ShardState]) -> str:
    names = [f"{shard.shard_id} ({shard.note})" if shard.note else shard.shard_id for shard in shards[:3]]
    return ", ".join(names) + (", ..." if len(shards) > 3 else "")  # noqa: PLR2004  # enough to look them up
