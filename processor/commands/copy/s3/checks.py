"""Checks whether the source can be copied by way of S3, before anything is begun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from processor.aws.domains import is_aws
from processor.aws.errors import aws_errors
from processor.aws.s3 import NO_BUCKET, Bucket
from processor.commands.copy.s3 import quotas
from processor.dynamodb import table_spec
from processor.errors import CredentialsError, RefusedError, UnavailableError
from processor.reporting.findings import Finding, error, warning
from processor.settings.s3_location import S3Location
from processor.startup import destination
from processor.startup.failed_call import cause_of

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings


def findings(settings: Settings, clients: Clients, location: S3Location, *, begun: bool = False) -> Iterator[Finding]:
    """What forbids such a copy, or should be known before it; the source's stream and all else are the preflight's.

    :param begun: an export of this copy was begun already, and perhaps its import too, which makes the destination
    """
    name, region = settings.source_table, settings.source_region
    what = f"source table {name} in {region}"
    try:
        source = destination.describe(clients.source(), name, region)
        if source is None:
            yield error(
                "source-missing",
                what,
                "does not exist",
                "There is nothing to copy",
                "Check name, region, account and endpoint",
            )
            return
        yield from _importable(source)
        yield from table_spec.left_out(source, settings.destination_table)
        if not begun:
            yield from _destination_is_free(settings, clients)
            yield from _restorable(settings, clients)
            yield from _bucket(clients, location.owned(account_of(clients, source)))
            yield from quotas.findings(settings, clients, source)
    except (UnavailableError, RefusedError) as exc:
        remedy = "Check names, regions, endpoints and credentials; AWS's words name the call"
        consequence, cause = "Nothing can be copied by way of S3", cause_of(exc, settings.source_identity)
        yield error("export-impossible", what, f"can't be exported ({exc})", consequence, remedy, cause=cause)


def _importable(source: Mapping[str, Any]) -> Iterator[Finding]:
    if indexes := [index["IndexName"] for index in source.get(table_spec.LOCAL) or []]:
        yield error(
            "local-indexes-not-imported",
            f"source table {source['TableName']}",
            f"has local indexes ({', '.join(sorted(indexes))})",
            "An import makes no local index, and none can be added later",
            "Copy without --viaS3",
        )


def _destination_is_free(settings: Settings, clients: Clients) -> Iterator[Finding]:
    name, region = settings.destination_table, settings.destination_region
    if destination.describe(clients.destination(), name, region) is not None:
        yield error(
            "destination-exists",
            f"destination table {name} in {region}",
            "exists",
            "An import makes its table, and fills no other",
            "Delete it, name another one, or copy without --viaS3",
        )


def _restorable(settings: Settings, clients: Clients) -> Iterator[Finding]:
    name = settings.source_table
    try:
        with aws_errors(f"DescribeContinuousBackups on table {name}"):
            found: Any = clients.source().describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    except CredentialsError:
        return  # the export needs no such permission, and says itself when there is nothing to export
    status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if status != "ENABLED":
        yield error(
            "recovery-off",
            f"point-in-time recovery of source table {name}",
            "is off",
            "DynamoDB exports a table only where it is on",
            f"Turn it on: aws dynamodb update-continuous-backups --table-name {name} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        )


def account_of(clients: Clients, source: Mapping[str, Any]) -> str:
    """The account of the source, which owns the bucket where nothing else is said; empty where it isn't AWS's table."""
    if not is_aws(clients.source().meta.endpoint_url):
        return ""
    return str(source["TableArn"]).split(":")[4]


def _bucket(clients: Clients, location: S3Location) -> Iterator[Finding]:
    bucket = Bucket(location.bucket, connect=clients.export_s3, owner=lambda: location.owner or None)
    try:
        bucket.look(location.prefix)
    except (UnavailableError, RefusedError) as exc:
        if exc.code in NO_BUCKET:
            remedy = "Check --viaS3, or create it"
            yield error(
                "export-bucket-missing",
                f"bucket {location.bucket}",
                "does not exist",
                "There is nowhere to export to",
                remedy,
            )
        else:  # DynamoDB may reach what we may not
            unknown, remedy = bucket.doubt("--viaS3")
            unknown = f"Whether DynamoDB can write and read there will be known when it does{unknown}"
            remedy = f"Allow s3:ListBucket on it to be told before{remedy}"
            yield warning(
                "export-bucket-unknown", f"bucket {location.bucket}", f"can't be looked at ({exc})", unknown, remedy
            )
