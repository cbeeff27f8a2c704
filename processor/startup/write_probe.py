"""Tests whether the destination may be written, with writes that can't change anything.

1. DeleteItem of a random key, which no item has, on a condition that is never true. The answer says that the condition
   failed: so the call is allowed, and this store follows conditions.
2. So PutItem of that key on the same condition can't store anything either.
3. With ``writeMode=batch``, BatchWriteItem, which has no conditions, deletes the same key, which no item has.

A call that could not be made now is reported as unknown, not as allowed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.dynamodb.describe import key_types
from processor.errors import ConditionFailedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A table in any other state accepts no writes, or soon won't (API reference, TableDescription).
WRITABLE = frozenset({"ACTIVE", "UPDATING"})
_NEVER = "attribute_exists(#key) AND attribute_not_exists(#key)"
_NAME = "dynamodb-replicator-check/"
# Digits of a number that is exact (Naming rules and data types, DynamoDB developer guide).
_DIGITS = 38


def try_writes(connect: Callable[[], DynamoDBClient], table: dict[str, Any], *, region: str, batches: bool) -> None:
    """Make each kind of write call that a replication makes.

    :param table: DescribeTable of the destination, in one of the states of ``WRITABLE``
    :param batches: whether BatchWriteItem is one
    :raises CredentialsError: one of them is not allowed
    :raises UnavailableError, RefusedError: one of them could not be made now, or not in this way
    """
    client, name, key = connect(), table["TableName"], _random_key(table)
    condition: dict[str, Any] = {
        "ConditionExpression": _NEVER,
        "ExpressionAttributeNames": {"#key": table["KeySchema"][0]["AttributeName"]},
    }
    try:
        with aws_errors(f"DeleteItem on table {name} in {region}"):
            client.delete_item(TableName=name, Key=key, **condition)
    except ConditionFailedError:
        try:
            with aws_errors(f"PutItem on table {name} in {region}"):
                client.put_item(TableName=name, Item=key, **condition)
        except ConditionFailedError:
            pass
    if batches:
        with aws_errors(f"BatchWriteItem on table {name} in {region}"):
            client.batch_write_item(RequestItems={name: [{"DeleteRequest": {"Key": key}}]})


def _random_key(table: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Callable[[], Any]] = {
        "S": lambda: _NAME + secrets.token_hex(16),
        "N": lambda: f"-{secrets.randbelow(9 * 10 ** (_DIGITS - 1)) + 10 ** (_DIGITS - 1)}",
        "B": lambda: _NAME.encode() + secrets.token_bytes(16),
    }
    return {name: {kind: values[kind]()} for name, kind in key_types(table).items()}
