"""What is wrong with a task, by what was seen of it, each with its remedy. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from processor.dynamodb.record_times import MINUTE_SECONDS
from processor.reporting import moments
from processor.reporting.durations import duration
from processor.reporting.findings import Finding, error, warning
from processor.settings.settings import Settings
from processor.state import loss_remedies, task_row
from processor.state.holds import Hold
from processor.state.status import replica, verification
from processor.state.status.lineage import ShardState
from processor.state.status.replica import ReplicaProgress
from processor.state.status.snapshot import Seen
from processor.state.status.verification import Verification
from processor.system import program

_ON = frozenset({"ENABLED", "ENABLING"})
# A table in any other state accepts no writes, or soon won't (API reference, TableDescription).
_WRITABLE = frozenset({"ACTIVE", "UPDATING"})


def findings(
    settings: Settings, seen: Seen, made: ReplicaProgress | None, *, max_lag_seconds: int
) -> Iterator[Finding]:
    """What could not be read, and what is wrong with the rest.

    :param made: how far a replica is that looks after itself
    :param max_lag_seconds: how far a healthy shard may be behind
    """
    yield from _unreachable(settings, seen)
    yield from _of_task(settings, seen)
    yield from _of_tables(settings, seen)
    yield from _of_stream(settings, seen)
    yield from _of_daemons(settings, seen)
    yield from _of_shards(settings, seen, max_lag_seconds)
    yield from (_of_hold(settings, hold) for hold in seen.holds)
    if seen.verification is not None:
        yield from _of_verification(settings, seen.verification)
    if made is not None:
        yield from _of_replica(settings, seen, made)


def _unreachable(settings: Settings, seen: Seen) -> Iterator[Finding]:
    names = {
        "source": f"source table {settings.source_table} in {settings.source_region}",
        "destination": f"destination table {settings.destination_table} in {settings.destination_region}",
        "leases": f"checkpoint table {settings.checkpoint_table} in {settings.kcl_region}",
        "task": f"task table {settings.task_table} in {settings.kcl_region}",
        "stream": "the source's stream",
        "lag": "lag",
        "copy": "progress of the copy",
        "caretaker": f"who looks after the replica, in task table {settings.task_table} in {settings.kcl_region}",
        "verification": f"what the verifications have found, in task table {settings.task_table}",
        "checkpoint outage": f"whether daemons can use the checkpoint table, in task table {settings.task_table}",
        "holds": f"what keeps shards from going on, in task table {settings.task_table} in {settings.kcl_region}",
        "dead letters": "dead letters",
        "conflicts": "conflicts",
    }
    for unread in seen.unread:
        yield error(
            "not-read",
            names[unread.what],
            f"can't be read ({unread.reason})",
            "What hangs on it is not known; the replication itself may be well",
            "Check endpoint, region, credentials and the network from this machine",
            cause="outage",
        )


def _of_task(settings: Settings, seen: Seen) -> Iterator[Finding]:
    if seen.leases is None and seen.could_read("leases") and not seen.is_starting:
        yield error(
            "never-started",
            f"task {settings.task_name}",
            f"was never started: there is no checkpoint table {settings.checkpoint_table} in {settings.kcl_region}",
            "Nothing is replicated",
            f"Start it with {program.COMMAND} FILE, or check taskName, kclRegion and kclEndpoint",
        )
    elif (
        seen.leases is not None and seen.task and task_row.of(settings, seen.task.stream_arn).tables != seen.task.tables
    ):
        yield error(
            "task-of-others",
            f"task {settings.task_name}",
            f"replicates {seen.task.path}",
            "These settings are another replication's, and could not be started under this name",
            "Give the properties file of that task, or a taskName of its own",
        )


def _of_tables(settings: Settings, seen: Seen) -> Iterator[Finding]:
    if seen.source is None and seen.could_read("source"):
        yield error(
            "source-missing",
            f"source table {settings.source_table} in {settings.source_region}",
            "does not exist",
            "What its stream still holds is applied for 24 hours; nothing comes after it",
            "Check name, region, account and endpoint",
        )
    what = f"destination table {settings.destination_table} in {settings.destination_region}"
    if seen.destination is None and seen.could_read("destination"):
        yield error(
            "destination-missing",
            what,
            "does not exist",
            "No change can be applied; daemons wait for it",
            "Restore it, or check its name",
        )
    elif seen.destination is not None and seen.destination["TableStatus"] not in _WRITABLE:
        status = seen.destination["TableStatus"]
        yield error(
            "destination-not-active",
            what,
            f"is {status}",
            "No change can be applied; daemons wait for it",
            "Wait until it is ACTIVE",
        )


def _of_stream(settings: Settings, seen: Seen) -> Iterator[Finding]:
    latest = (seen.source or {}).get("LatestStreamArn")
    enabled = (seen.source or {}).get("StreamSpecification", {}).get("StreamEnabled", False)
    again = loss_remedies.of_stream(settings)
    stream = seen.stream
    if stream is None:
        if seen.source is not None:
            yield error(
                "stream-off",
                "the source's stream",
                "is off",
                "Nothing can be replicated",
                "Turn it on, with new images",
            )
    elif stream.status == "MISSING":
        yield error(
            "stream-gone", f"stream {stream.arn}", "no longer exists", "Changes that were not yet read are lost", again
        )
    elif stream.status is not None and stream.status not in _ON:
        yield error(
            "stream-off", f"stream {stream.arn}", "is off", "What it holds is applied; nothing comes after it", again
        )
    elif enabled and latest != stream.arn:
        yield error(
            "stream-replaced",
            f"stream {stream.arn}",
            f"is not the source's newest, {latest}",
            "Changes in between are lost",
            again,
        )


def _of_daemons(settings: Settings, seen: Seen) -> Iterator[Finding]:
    unfinished = [shard for shard in seen.shards if shard.state != "finished"]
    if seen.is_starting:
        yield warning(
            "starting",
            f"task {settings.task_name}",
            "is starting for the first time: no daemon has taken a lease yet",
            "Nothing is replicated yet",
            "Look again in a minute; if it is stopped then, see its daemon's log",
        )
    elif seen.leases is not None and seen.could_read("leases") and unfinished and not seen.is_running:
        yield error(
            "stopped",
            f"task {settings.task_name}",
            "is stopped: no daemon renews a lease",
            "Nothing is replicated; changes are lost when they are 24 hours old",
            f"Start it with {program.COMMAND} FILE",
        )
    outage = seen.checkpoint_outage
    if outage is not None:
        since = moments.of_ms(outage.since_ms)
        yield error(
            "checkpoints-unusable",
            f"checkpoint table {settings.checkpoint_table}",
            f"can't be used by daemon {outage.worker} since {since} ({outage.reason.rstrip('.')})",
            "Shards whose leases can't be renewed are not written; nothing is lost for 24 hours",
            "Do what the reason asks for: the daemons go on by themselves",
        )
    for daemon in seen.daemons:
        if not daemon.alive and outage is None:
            yield error(
                "daemon-silent",
                f"daemon {daemon.owner}",
                f"does not renew its leases, of {_shards(daemon.shards)}",
                f"Others take them {settings.failover_seconds:g} s after its last renewal, if there are others",
                "Look at its machine and its logs; start it again",
            )


def _of_shards(settings: Settings, seen: Seen, max_lag_seconds: int) -> Iterator[Finding]:
    unowned = [shard for shard in seen.shards if shard.state == "unowned"]
    if unowned and seen.leases is not None and not seen.is_starting:
        yield error(
            "shards-unowned",
            f"{_shards(len(unowned))} without an owner",
            _named(unowned),
            "Their changes are not applied, and lost when they are 24 hours old",
            "Start one more daemon; if maxLeasesForWorker is set, raise it",
        )
    early = [shard for shard in seen.shards if shard.finished_early]
    if early and seen.stream is not None and seen.stream.status in _ON:
        yield error(
            "shards-finished-early",
            f"{_shards(len(early))} finished though open",
            _named(early),
            "The lease says that it is read to its end, but it still takes records: nobody reads them, and they are "
            "lost when they are 24 hours old",
            "Delete the shard's row (its leaseKey is the shard's id) from the checkpoint table: daemons then read it "
            "again, from its oldest record, to the same end",
        )
    if lost := [shard for shard in seen.shards if shard.lost]:
        yield error(
            "shards-lost",
            f"{_shards(len(lost))} with changes that are lost",
            _named(lost),
            "They are past the stream's 24 hours, and were not applied",
            loss_remedies.of_shard(settings),
        )
    may_be_less = slack_seconds(about=seen.lag_about, interval_seconds=settings.checkpoint_interval_millis / 1000)
    late = [shard for shard in seen.shards if (shard.lag_seconds or 0) - may_be_less > max_lag_seconds]
    if late:
        late.sort(key=lambda shard: -(shard.lag_seconds or 0))
        yield error(
            "shards-late",
            f"{_shards(len(late))} behind by more than {max_lag_seconds} s",
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


def _of_verification(settings: Settings, found: Verification) -> Iterator[Finding]:
    what = f"destination table {settings.destination_table} in {settings.destination_region}"
    if found.last is not None and found.differing:
        yield error(
            "verification-differs",
            what,
            f"differs from the source by the last verification, {verification.outcome(found.last)}",
            "These keys stay so until a newer change of theirs, or a repair",
            f"{program.COMMAND} verify FILE names them; --repair writes what is missing or different, and with "
            "--deleteExtra deletes what only the destination has. It is over when nothing differs any more",
        )
    if found.failure is not None:
        yield error(
            "verification-failed",
            f"the verification of {what}",
            f"could not go on at {moments.of_ms(found.failure.at_ms)} ({found.failure.reason.rstrip('.')})",
            "It is tried again every ten minutes; until then nothing newer is proved. Replication goes on",
            "Do what the reason asks for",
        )
    if found.is_late:
        since = "ever" if found.last is None else f"since {moments.of_ms(found.last.through_ms)}"
        yield error(
            "verification-late",
            f"the verification of {what}",
            f"was not whole {since}, though verifyEvery asks for one every {duration(found.every_seconds)}",
            "What differs since then is not known",
            "Raise verifyReadUnits, or verifyEvery, if it takes longer than that; else see replication.log for "
            "caretaker and verification events",
        )


def _of_replica(settings: Settings, seen: Seen, made: ReplicaProgress) -> Iterator[Finding]:
    what = f"the replica {settings.destination_table} in {settings.destination_region}"
    if made.trouble is not None and made.trouble.kind == "refused":
        yield error(
            "replica-refused",
            what,
            f"can't be made by itself ({replica.trouble(made.trouble)})",
            "It is not complete, or not proved equal; replication goes on",
            "Do what the reason asks for: the command is given again every few minutes, and goes on by itself",
        )
    is_found = seen.verification is not None and bool(seen.verification.differing)
    if made.trouble is not None and made.trouble.kind == "differs" and not is_found:
        yield error(
            "replica-differs",
            what,
            f"differs from the source after its copy ({made.trouble.reason})",
            "These keys stay so until a newer change of theirs, or a repair",
            f"{program.COMMAND} verify FILE names them; --repair writes what is missing or different. It is verified "
            "again by itself",
        )
    if seen.is_running and not made.attended:
        yield error(
            "replica-unattended",
            what,
            f"is {replica.phase(made)}, and {replica.unattended(made)}, though daemons replicate",
            "Nothing is copied, verified or made good by itself; replication goes on",
            "See replication.log of the daemons for caretaker events",
        )


def _shards(number: int) -> str:
    return "1 shard" if number == 1 else f"{number} shards"


def _named(shards: list[ShardState]) -> str:
    names = [f"{shard.shard_id} ({shard.note})" if shard.note else shard.shard_id for shard in shards[:3]]
    return ", ".join(names) + (", ..." if len(shards) > 3 else "")  # noqa: PLR2004  # enough to look them up
