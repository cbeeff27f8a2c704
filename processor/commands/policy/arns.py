"""Makes the ARNs of the resources in the table of permissions. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from processor.commands.policy.permissions import Resource
from processor.replication.dead_letters.letter import folder_of
from processor.settings.s3_location import S3Location
from processor.settings.settings import Settings, companion_table

# Stands for an unknown account; it can't be mistaken for one.
NO_ACCOUNT = "ACCOUNT"
# The endings of the names of KCL's other tables, after the lease table's name.
_COORDINATOR_SUFFIX = "-CoordinatorState"
_WORKER_SUFFIX = "-WorkerMetricStats"
_IN_S3 = frozenset({"Letters", "LetterBucket", "Conflicts", "ConflictBucket", "ExportedObjects", "ExportBucket"})


class ResourceArns(msgspec.Struct, frozen=True, kw_only=True):
    """The ARNs from which the policies' resources are made.

    :param source_table: its ARN; likewise the destination's
    :param task_tables: the beginning of the checkpoint tables' ARNs: ``arn:aws:dynamodb:eu-west-1:123456789012:table/``
    :param exported: where ``copy --viaS3`` puts the table
    :param heartbeat_key: the heartbeat's partition key, if the source's is known and is a string
    """

    source_table: str
    destination_table: str
    task_tables: str
    exported: S3Location | None = None
    heartbeat_key: str | None = None


def table_arn(partition: str, region: str, account: str | None, name: str) -> str:
    """A table's."""
    return f"arn:{partition}:dynamodb:{region}:{account or NO_ACCOUNT}:table/{name}"


def arn_of(resource: Resource, settings: Settings, arns: ResourceArns) -> str:
    """One resource's ARN, with ``*`` for a part that only run time shows: a stream's, an export's, an object's."""
    if resource in _IN_S3:
        return _in_s3(resource, settings, arns)
    partition, _, region, account = arns.destination_table.split(":")[1:5]
    lease_table = arns.task_tables + settings.checkpoint_table
    named: dict[str, str] = {
        "SourceTable": arns.source_table,
        "HeartbeatItem": arns.source_table,
        "SourceStream": f"{arns.source_table}/stream/*",
        "SourceExports": f"{arns.source_table}/export/*",
        "DestinationTable": arns.destination_table,
        "DestinationImports": f"{arns.destination_table}/import/*",
        "ImportLogs": f"arn:{partition}:logs:{region}:{account}:log-group:/aws-dynamodb/*",
        "LeaseTable": lease_table,
        "LeaseTableIndexes": f"{lease_table}/index/*",
        "CoordinatorTable": arns.task_tables + _kcl_table(settings, "coordinatorStateTableName", _COORDINATOR_SUFFIX),
        "WorkerTable": arns.task_tables + _kcl_table(settings, "workerMetricsTableName", _WORKER_SUFFIX),
        "TaskTable": arns.task_tables + settings.task_table,
        "Metrics": "*",  # PutMetricData takes no resources, nor do the two lists
        "AllExports": "*",
        "AllImports": "*",
        "Topic": settings.notify_uri or "",
    }
    return named[resource]


def _kcl_table(settings: Settings, name: str, suffix: str) -> str:
    return settings.kcl.get(name) or companion_table(settings.checkpoint_table, suffix)


def _in_s3(resource: Resource, settings: Settings, arns: ResourceArns) -> str:
    where = _location_of(resource, settings, arns)
    beside = arns.source_table if resource in {"ExportedObjects", "ExportBucket"} else arns.task_tables
    arn = f"arn:{beside.split(':')[1]}:s3:::{where.bucket}"
    if resource in {"LetterBucket", "ConflictBucket", "ExportBucket"}:
        return arn
    return "/".join(part for part in (arn, where.prefix, "*") if part)


def _location_of(resource: Resource, settings: Settings, arns: ResourceArns) -> S3Location:
    """Bucket, folder and the account that must own the bucket: by default that of the source, or of the task."""
    if resource in {"ExportedObjects", "ExportBucket"}:
        assert arns.exported is not None  # noqa: S101  # else nobody asks
        return arns.exported.owned(arns.source_table.split(":")[4])
    is_of_conflicts = resource in {"Conflicts", "ConflictBucket"}
    place = settings.conflicts_place if is_of_conflicts else settings.dead_letters_place
    assert place is not None  # noqa: S101  # else nobody asks
    owner = place.owner or arns.task_tables.split(":")[4]
    folder = folder_of(place.prefix, settings.task_name).strip("/")
    return S3Location(bucket=place.bucket or "", prefix=folder, owner=owner)


def condition_of(resource: Resource, settings: Settings, arns: ResourceArns) -> dict[str, dict[str, Any]]:
    """A statement's condition, if it has one."""
    if resource == "Metrics":
        return {"StringEquals": {"cloudwatch:namespace": settings.cloudwatch_namespace}}
    if resource == "HeartbeatItem" and arns.heartbeat_key is not None:
        return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [arns.heartbeat_key]}}
    if resource in _IN_S3:
        return _condition_in_s3(resource, _location_of(resource, settings, arns))
    return {}


def _condition_in_s3(resource: Resource, where: S3Location) -> dict[str, dict[str, Any]]:
    """The condition for a bucket: the account that must own it, and the prefix that may be listed."""
    condition: dict[str, dict[str, Any]] = {"StringEquals": {"aws:ResourceAccount": where.owner}}
    if resource in {"LetterBucket", "ConflictBucket"}:
        condition["StringLike"] = {"s3:prefix": [f"{where.prefix}/*"]}
    elif resource == "ExportBucket" and where.prefix:
        # DynamoDB's import lists the bucket in our name, and it is not documented whether it always names a prefix.
        condition["StringLikeIfExists"] = {"s3:prefix": [where.prefix, f"{where.prefix}/*"]}
    return condition
