"""Has DynamoDB export the source to S3, as of one moment.

::

    stream on        export's moment          import ends      replication begins, at the stream's oldest record
    ────┼─────────────────┼─────────────────────────┼──────────────────┼─────────▶ time at the source
        changes before: in the export, and applied once more
                          changes since: in the stream alone, for 24 hours

So an export as of a moment before the stream was turned on is of no use, and none is taken.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.errors import NotFoundError, TransferError
from processor.flow.waiter import Say, Waiter
from processor.settings.s3_location import S3Location

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def begin(
    client: DynamoDBClient, source: Mapping[str, Any], location: S3Location, *, copy_id: str, stream_arn: str
) -> str:
    """Begin an export, or find the one that this copy began before it was killed; returns its ARN.

    :param stream_arn: the stream that must have every change since that moment
    :raises TransferError: its moment is before the stream's
    :raises UnavailableError: it can't be begun
    """
    # The first names an export that this copy began at most 8 hours ago; where that one has failed, another is begun.
    for token in (token_of(copy_id, source["TableArn"], location.uri), str(uuid.uuid4())):
        with aws_errors(f"ExportTableToPointInTime of table {source['TableName']} to {location.shown}"):
            export: Any = client.export_table_to_point_in_time(
                TableArn=source["TableArn"], ExportFormat="DYNAMODB_JSON", ClientToken=token, **location.to_export
            )["ExportDescription"]
        if export["ExportStatus"] != "FAILED":
            break
    if not covers(stream_arn, export.get("ExportTime")):
        raise TransferError(
            f"Export {export['ExportArn']}: it is as of {export.get('ExportTime')}, before stream {stream_arn} began, "
            "so changes in between would be lost. Nothing was imported. Begin the copy anew, in some minutes."
        )
    return str(export["ExportArn"])


def finished(
    client: DynamoDBClient,
    export_arn: str,
    location: S3Location,
    *,
    waiter: Waiter,
    say: Say,
    in_time: Callable[[], None],
) -> dict[str, Any]:
    """Wait for the export's end; returns its description.

    :param in_time: raises when it is too late to go on
    :raises TransferError: it failed, or there is none
    """

    def look() -> dict[str, Any] | None:
        in_time()
        try:
            with aws_errors(f"DescribeExport of {export_arn}"):
                export: dict[str, Any] = dict(client.describe_export(ExportArn=export_arn)["ExportDescription"])
        except NotFoundError as exc:
            raise TransferError(f"{exc}. Nothing was imported. Run copy again; it begins another export.") from exc
        if export["ExportStatus"] == "FAILED":
            raise _failed(export, location)
        if export["ExportStatus"] == "COMPLETED":
            return export
        say(f"Exporting to {location.uri}")
        return None

    return waiter.until(look, f"export {export_arn}")


def covers(stream_arn: str, moment: datetime | None) -> bool:
    """Whether a stream was turned on before ``moment``; its ARN ends with the time of that."""
    label = stream_arn.rpartition("/")[2]
    began = datetime.fromisoformat(label).replace(tzinfo=timezone.utc)
    return moment is not None and moment >= began


def token_of(*parts: str) -> str:
    """A ClientToken, equal for equal requests of one copy, so that a repeated request finds the first one."""
    return str(uuid.UUID(bytes=hashlib.sha256("\n".join(parts).encode()).digest()[:16]))


def _failed(export: Mapping[str, Any], location: S3Location) -> TransferError:
    return TransferError(
        f"Export {export['ExportArn']} to {location.shown} failed: {export.get('FailureCode') or 'no code'}: "
        f"{export.get('FailureMessage') or 'no reason given'}. Nothing was imported. Put that right (the bucket's "
        "policy must let the source's credentials write there, and ?owner= name its account "
        "where it isn't the source's), then run copy again; it begins another export."
    )
