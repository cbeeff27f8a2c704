"""Has DynamoDB import from S3, which makes the destination and fills it.

An import that leaves out a single item has failed: replication would bring that item only when it changes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.commands.copy.s3.table_export import token_of
from processor.dynamodb import table_spec
from processor.errors import InUseError, NotFoundError, TransferError, UnavailableError
from processor.flow.waiter import Say, Waiter
from processor.settings.s3_location import S3Location

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The same token with another request, as when the source's definition was changed since: the API's model has the first,
# its text the others.
_OTHER_REQUEST = frozenset(
    {"ImportConflictException", "IdempotentParameterMismatch", "IdempotentParameterMismatchException"}
)


def begin(
    client: DynamoDBClient,
    source: Mapping[str, Any],
    name: str,
    location: S3Location,
    *,
    copy_id: str,
    export_arn: str,
    expected_items: int,
) -> str:
    """Begin the import of an export into table ``name``, or find the one that this copy began; returns its ARN.

    :param expected_items: how many the export has
    :raises TransferError: there is such a table, and it is no import of this copy
    :raises UnavailableError: it can't be begun
    """
    # As for exports: the first names what this copy began; where that one has failed, another is begun.
    first = token_of(copy_id, export_arn, name, location.uri)
    for token in (first, str(uuid.uuid4())):
        try:
            with aws_errors(f"ImportTable into table {name} from {location.shown}"):
                started: Any = client.import_table(
                    ClientToken=token,
                    S3BucketSource=location.to_import(export_arn),  # type: ignore[arg-type]  # a dict
                    InputFormat="DYNAMODB_JSON",
                    InputCompressionType="GZIP",
                    TableCreationParameters=table_spec.shape(source, name),  # type: ignore[arg-type]  # a dict
                )["ImportTableDescription"]
        except InUseError as exc:
            message = (
                f"{exc}. An import makes its table. Nothing was imported. Delete table {name}, then run copy again."
            )
            raise TransferError(message) from exc
        except UnavailableError as exc:
            if exc.code in _OTHER_REQUEST and token == first:
                continue
            raise
        arn = str(started["ImportArn"])
        if not _has_ended_badly(_describe(client, arn), expected_items):
            break
    return arn


def _describe(client: DynamoDBClient, arn: str) -> dict[str, Any]:
    with aws_errors(f"DescribeImport of {arn}"):
        return dict(client.describe_import(ImportArn=arn)["ImportTableDescription"])


def _has_ended_badly(found: Mapping[str, Any], expected_items: int) -> bool:
    if found["ImportStatus"] == "COMPLETED":
        return bool(found.get("ErrorCount")) or found.get("ImportedItemCount", 0) != expected_items
    return found["ImportStatus"] in ("FAILED", "CANCELLED")


def finished(
    client: DynamoDBClient,
    import_arn: str,
    *,
    expected_items: int,
    waiter: Waiter,
    say: Say,
    in_time: Callable[[], None],
) -> dict[str, Any]:
    """Wait for the import's end; returns its description.

    :param expected_items: how many the export has
    :param in_time: raises when it is too late to go on
    :raises TransferError: it failed, or left items out
    """

    def look() -> dict[str, Any] | None:
        in_time()
        try:
            found = _describe(client, import_arn)
        except NotFoundError as exc:
            raise TransferError(f"{exc}. Delete the destination table if it is there, then run copy again.") from exc
        if _has_ended_badly(found, expected_items):
            raise _failed(found, expected_items)
        if found["ImportStatus"] == "COMPLETED":
            return found
        say(f"Importing: {found.get('ImportedItemCount', 0):,} of {expected_items:,} items")
        return None

    return waiter.until(look, f"import {import_arn}")


def _failed(found: Mapping[str, Any], expected_items: int) -> TransferError:
    reason = f"{found.get('FailureCode')}: {found.get('FailureMessage')}, " if found.get("FailureCode") else ""
    logs = found.get("CloudWatchLogGroupArn")
    return TransferError(
        f"Import {found['ImportArn']} is {found['ImportStatus']}: {reason}{found.get('ErrorCount', 0)} errors, "
        f"{found.get('ImportedItemCount', 0)} of {expected_items} items imported. The destination is not a copy. "
        f"CloudWatch's log group {logs or '/aws-dynamodb/imports'} has each item's error. Put that right, delete the "
        "destination table, then run copy again: it imports the same export while its 20 hours last."
    )
