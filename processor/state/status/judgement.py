"""What is wrong with a task, by what was seen of it, each with its remedy. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from processor.reporting import moments
from processor.reporting.findings import Finding, error, warning
from processor.settings.settings import Settings
from processor.state import loss_remedies, task_row
from processor.state.status import replica_judgement, shard_judgement
from processor.state.status.replica import ReplicaProgress
from processor.state.status.snapshot import Seen
from processor.system import program

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
    yield from shard_judgement.findings(settings, seen, max_lag_seconds=max_lag_seconds)
    if seen.verification is not None:
        yield from replica_judgement.of_verification(settings, seen.verification)
    if made is not None:
        yield from replica_judgement.of_replica(settings, seen, made)


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
    if seen.leases is None and seen.could_read("leases") and not seen.is_starting and seen.checkpoint_outage is None:
        yield error(
            "never-started",
            f"task {settings.task_name}",
            "was never started, or its checkpoint table was deleted: there is no "
            f"{settings.checkpoint_table} in {settings.kcl_region}",
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
    elif stream.status is not None and not stream.is_on:
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
            "Do what the reason asks for. Unless that is a new start, the daemons go on by themselves",
        )
    for daemon in seen.daemons:
        if not daemon.alive and outage is None:
            yield error(
                "daemon-silent",
                f"daemon {daemon.owner}",
                f"does not renew its leases, of {shard_judgement.counted(daemon.shards)}",
                f"Others take them {settings.failover_seconds:g} s after its last renewal, if there are others",
                "Look at its machine and its logs; start it again",
            )
