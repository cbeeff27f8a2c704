"""The table of permissions: which command makes which call, on what, as whom, and under which setting. Pure.

Tests hold it to what the commands and the daemon do: they work with these permissions alone, and use all of them. KCL's
and the adapter's rows are the calls that versions 3.1.3 and 2.0.1 were seen to make. No test can see what DynamoDB does
on S3 in our name; those rows follow its developer guide (requesting a table export, requesting a table import).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Literal

import msgspec

from processor.commands.policy.options import COMMANDS, SHARED, VIA_S3
from processor.metrics.sinks import sinks
from processor.settings import kcl_properties
from processor.settings.notify_place import notify_place
from processor.settings.settings import Settings

Side = Literal["source", "destination", "task"]
# ``arns.py`` makes ARNs of them.
Resource = Literal[
    "SourceTable",
    "HeartbeatItem",
    "SourceStream",
    "SourceExports",
    "AllExports",
    "DestinationTable",
    "DestinationImports",
    "AllImports",
    "ImportLogs",
    "LeaseTable",
    "LeaseTableIndexes",
    "CoordinatorTable",
    "WorkerTable",
    "TaskTable",
    "Letters",
    "LetterBucket",
    "Conflicts",
    "ConflictBucket",
    "ExportedObjects",
    "ExportBucket",
    "Metrics",
    "Topic",
]
When = Callable[[Settings], object]


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """Actions of one service on one resource.

    :param first_start: not needed any more when the checkpoint tables are there
    """

    side: Side
    resource: Resource
    actions: tuple[str, ...]
    commands: frozenset[str]
    when: When
    first_start: bool = False


def needed(settings: Settings, commands: Collection[str]) -> list[Permission]:
    """The rows of the table that these commands need with these settings.

    :param commands: some of ``options.COMMANDS``, ``VIA_S3`` and ``SHARED``
    """
    run = {*commands, *(_of_caretaker(settings) if "replicate" in commands else ())}
    return [row for row in PERMISSIONS if row.commands & run and row.when(settings)]


def _of_caretaker(settings: Settings) -> Iterator[str]:
    """The commands that the daemon's caretaker gives by itself, and that it does as they do."""
    if settings.has_caretaker:
        yield "status"
    if settings.bootstrap:
        yield from ("copy", "verify")
    if settings.after_loss == "copy":
        yield from ("copy", "verify", "repair")
    if settings.verifies:
        yield "verify" if settings.verify_repair == "false" else "repair"


def possible(settings: Settings) -> tuple[str, ...]:
    """The commands that the settings have a use for: without ``deadLetterUri`` there is nothing to redrive.

    Markers are removed once, after a task was two-way, so nobody need be allowed it all the time.
    """
    letters = settings.dead_letter_bucket or settings.dead_letter_path
    return tuple(name for name in COMMANDS if name != "unmark" and (name != "redrive" or letters))


# --- Under which setting -------------------------------------------------------------------------------------------


def _always(_: Settings) -> bool:
    return True


def _batch(settings: Settings) -> bool:
    return settings.write_mode == "batch" and not settings.two_way


def _two_way(settings: Settings) -> bool:
    return settings.two_way


def _mirror(settings: Settings) -> bool:
    return settings.direction == "mirror"


def _fenced(settings: Settings) -> bool:
    return settings.write_mode == "fenced"


def _batch_copy(settings: Settings) -> bool:
    return (
        settings.write_mode != "item" and not settings.two_way
    )  # before a replication nothing is newer, so no fence is needed


def _enable_stream(settings: Settings) -> bool:
    return settings.enable_stream


def _create(settings: Settings) -> bool:
    return settings.create_destination


def _bootstraps(settings: Settings) -> bool:
    return settings.bootstrap


def _letters(settings: Settings) -> bool:
    return settings.dead_letter_bucket is not None


def _new_letters(settings: Settings) -> bool:
    return settings.dead_letter_bucket is not None and settings.on_error == "deadLetter"


def _conflicts(settings: Settings) -> bool:
    return settings.direction == "uplink" and (settings.conflict_uri or "").startswith("s3:")


def _metrics(settings: Settings) -> bool:
    return "cloudwatch" in sinks(settings, {})


def _verifies(settings: Settings) -> bool:
    return settings.verifies


def _notes_outcome(settings: Settings) -> bool:
    return settings.views_items or settings.verifies


def _topic(settings: Settings) -> bool:
    return settings.notify_uri is not None and bool(notify_place(settings.notify_uri).topic)


def _heartbeat(settings: Settings) -> bool:
    return settings.heartbeat_seconds is not None


def _elects_leader(settings: Settings) -> bool:
    return settings.kcl.get("clientVersionConfig", kcl_properties.TUNED["clientVersionConfig"]).endswith("_3X")


def _kcl(*names: str) -> When:
    """Whether one of these KCL properties is set, and not to false."""
    return lambda settings: any(settings.kcl.get(name, "false").lower() != "false" for name in names)


def _leader(*names: str) -> When:
    return lambda settings: _elects_leader(settings) and _kcl(*names)(settings)


# --- The table -----------------------------------------------------------------------------------------------------

_LOOKING = "check copy copyViaS3 replicate"  # the commands that run the preflight


def _row(
    side: Side, resource: Resource, actions: str, commands: str, when: When = _always, *, service: str = "dynamodb"
) -> Permission:
    names = frozenset(commands.split())
    assert names <= {*COMMANDS, VIA_S3, SHARED}, names  # noqa: S101  # else a line would say nothing
    return Permission(
        side=side,
        resource=resource,
        actions=tuple(f"{service}:{action}" for action in actions.split()),
        commands=names,
        when=when,
    )


def _first(resource: Resource, actions: str, commands: str, when: When = _always) -> Permission:
    return msgspec.structs.replace(_row("task", resource, actions, commands, when), first_start=True)


def _source() -> Iterator[Permission]:
    looking = f"{_LOOKING} console preview redrive repair status unmark verify"
    yield _row("source", "SourceTable", "DescribeTable", looking)
    # Without it items past their TTL count as any others, and a warning of the preflight is missed.
    yield _row("source", "SourceTable", "DescribeTimeToLive", f"{_LOOKING} redrive repair verify")
    yield _row("source", "SourceTable", "GetItem", "preview redrive repair copy")
    yield _row("source", "SourceTable", "GetItem", _LOOKING, _fenced)
    yield _row("source", "SourceTable", "Scan BatchGetItem", "copy repair verify")
    yield _row("source", "SourceTable", "Scan", "preview")
    yield _row("source", "HeartbeatItem", "PutItem", "replicate", _heartbeat)
    yield _row("source", "SourceTable", "UpdateTable", "copy copyViaS3", _enable_stream)
    yield _row("source", "SourceTable", "ListTagsOfResource", "copy", _create)
    yield _row("source", "SourceStream", "DescribeStream", f"{_LOOKING} console status")
    yield _row("source", "SourceStream", "GetShardIterator GetRecords", "replicate console status")
    yield _row(
        "source",
        "SourceTable",
        "DescribeContinuousBackups ExportTableToPointInTime ListTagsOfResource",
        "copyViaS3",
    )
    yield _row("source", "SourceExports", "DescribeExport", "copyViaS3")
    yield _row("source", "AllExports", "ListExports", "copyViaS3")  # how many are under way
    yield _row("source", "ExportedObjects", "AbortMultipartUpload PutObject PutObjectAcl", "copyViaS3", service="s3")
    yield _row("source", "ExportBucket", "ListBucket", "copyViaS3", service="s3")


def _destination() -> Iterator[Permission]:
    looking = f"{_LOOKING} console redrive repair status unmark verify"
    yield _row("destination", "DestinationTable", "DescribeTable", looking)
    yield _row("destination", "DestinationTable", "Scan UpdateItem", "unmark")
    yield _row("destination", "DestinationTable", "DescribeTimeToLive", f"{_LOOKING} redrive repair verify")
    yield _row("destination", "DestinationTable", "BatchWriteItem", "check replicate", _batch)
    yield _row("destination", "DestinationTable", "BatchWriteItem", "copy", _batch_copy)
    yield _row("destination", "DestinationTable", "PutItem DeleteItem", "check copy redrive repair replicate")
    yield _row("destination", "DestinationTable", "GetItem", "redrive repair")
    yield _row("destination", "DestinationTable", "GetItem", "copy replicate", _two_way)
    yield _row(
        "destination", "DestinationTable", "UpdateItem", "copy redrive repair replicate", _mirror
    )  # marks deletes
    yield _row("destination", "DestinationTable", "GetItem BatchGetItem", "copy", _fenced)
    yield _row("destination", "DestinationTable", "Scan BatchGetItem", "repair verify")
    yield _row("destination", "DestinationTable", "Scan", "copy")  # whose items are there already?
    yield _row("destination", "DestinationTable", "Scan", "check replicate", _bootstraps)  # are there any?
    yield _row("destination", "DestinationTable", "CreateTable TagResource UpdateTimeToLive", "copy", _create)
    yield _row("destination", "DestinationTable", "ImportTable TagResource UpdateTable UpdateTimeToLive", "copyViaS3")
    yield _row("destination", "DestinationImports", "DescribeImport", "copyViaS3")
    yield _row("destination", "AllImports", "ListImports", "copyViaS3")
    yield _row("destination", "ExportedObjects", "GetObject", "copyViaS3", service="s3")
    yield _row("destination", "ExportBucket", "ListBucket", "copyViaS3", service="s3")
    yield _row(
        "destination",
        "ImportLogs",
        "CreateLogGroup CreateLogStream DescribeLogGroups DescribeLogStreams PutLogEvents PutRetentionPolicy",
        "copyViaS3",
        service="logs",
    )


def _task() -> Iterator[Permission]:
    yield _row("task", "TaskTable", "GetItem", f"{_LOOKING} console status unmark")
    yield _row("task", "TaskTable", "DescribeTable PutItem", "copy copyViaS3 replicate")
    yield _row("task", "TaskTable", "UpdateItem", "copy replicate")
    yield _row("task", "TaskTable", "UpdateItem", "repair verify", _notes_outcome)  # of all of the destination
    yield _row("task", "TaskTable", "GetItem", "repair verify", _verifies)
    yield _row("task", "TaskTable", "Scan", "copy copyViaS3 console status")
    yield _row("task", "TaskTable", "DeleteItem", "copy copyViaS3 replicate")
    yield _row("task", "TaskTable", "GetItem PutItem UpdateItem DeleteItem Scan", SHARED)
    yield _first("TaskTable", "CreateTable", "copy copyViaS3 replicate")
    yield _first("TaskTable", "CreateTable DescribeTable", SHARED)
    yield _row("task", "Letters", "PutObject", "copy replicate", _new_letters, service="s3")
    yield _row("task", "LetterBucket", "ListBucket", _LOOKING, _new_letters, service="s3")
    yield _row("task", "LetterBucket", "ListBucket", "redrive console status", _letters, service="s3")
    yield _row("task", "Conflicts", "PutObject", "replicate", _conflicts, service="s3")
    yield _row("task", "ConflictBucket", "ListBucket", "check console replicate status", _conflicts, service="s3")
    yield _row("task", "Letters", "GetObject DeleteObject", "redrive", _letters, service="s3")
    yield _row("task", "Metrics", "PutMetricData", "replicate", _metrics, service="cloudwatch")
    yield _row("task", "Topic", "Publish", "replicate", _topic, service="sns")
    yield _row("task", "Topic", "GetTopicAttributes", "check", _topic, service="sns")


def _kcl_tables() -> Iterator[Permission]:
    yield _row("task", "LeaseTable", "Scan", f"{_LOOKING} console status unmark")
    yield _row("task", "LeaseTable", "BatchGetItem", "copy copyViaS3 console status unmark")  # is a daemon alive?
    yield _row("task", "LeaseTable", "DescribeTable GetItem PutItem UpdateItem DeleteItem", "replicate")
    yield _row("task", "CoordinatorTable", "DescribeTable GetItem PutItem", "replicate")
    yield _first("LeaseTable", "CreateTable", "replicate")
    yield _first("CoordinatorTable", "CreateTable", "replicate")
    backups, tags = "UpdateContinuousBackups", "TagResource"
    yield _first("LeaseTable", backups, "replicate", _kcl("leaseTablePitrEnabled"))
    yield _first("CoordinatorTable", backups, "replicate", _kcl("coordinatorStatePointInTimeRecoveryEnabled"))
    yield _first("CoordinatorTable", tags, "replicate", _kcl("coordinatorStateTags"))
    # With clientVersionConfig=CLIENT_VERSION_CONFIG_3X.
    yield _row("task", "LeaseTableIndexes", "Query", "replicate", _elects_leader)
    yield _row("task", "CoordinatorTable", "UpdateItem DeleteItem", "replicate", _elects_leader)
    yield _row("task", "WorkerTable", "DescribeTable Scan UpdateItem DeleteItem", "replicate", _elects_leader)
    yield _first("LeaseTable", "UpdateTable", "replicate", _elects_leader)
    yield _first("WorkerTable", "CreateTable", "replicate", _elects_leader)
    yield _first("WorkerTable", backups, "replicate", _leader("workerMetricsPointInTimeRecoveryEnabled"))
    yield _first("WorkerTable", tags, "replicate", _leader("workerMetricsTags"))


PERMISSIONS = (*_source(), *_destination(), *_task(), *_kcl_tables())
