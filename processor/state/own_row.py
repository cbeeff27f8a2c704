"""One of our own rows of the task table: read, changed on a condition, and understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from processor.aws.errors import aws_errors
from processor.dynamodb.missing_table import unless_missing
from processor.errors import UnavailableError
from processor.state import row_values

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T", bound=msgspec.Struct)
# A row, or a part of one, as DynamoDB JSON.
Row = dict[str, Any]


def read(client: DynamoDBClient, table: str, key: Row) -> Row | None:
    """A row, or None if there is none, or no table.

    :raises UnavailableError: the table can't be read
    """

    def get() -> Any:
        with aws_errors(f"GetItem on task table {table}"):
            return client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")

    found: Row | None = unless_missing(get)
    return found


def update(
    client: DynamoDBClient,
    table: str,
    key: Row,
    expression: str,
    *,
    condition: str,
    values: Mapping[str, Row],
    names: Mapping[str, str] | None = None,
) -> Row:
    """Change a row on a condition; returns it as it is then.

    :raises ConditionFailedError: the condition does not hold
    :raises NotFoundError: there is no such table
    :raises UnavailableError: it can't be stored now
    """
    more: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
    with aws_errors(f"UpdateItem on task table {table}"):
        answer = client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            **more,
        )
    found: Row = answer.get("Attributes", {})
    return found


def parsed(row: Row, kind: type[T], table: str) -> T:
    """What a row says.

    :raises UnavailableError: it is not ours
    """
    try:
        return msgspec.convert({name: row_values.plain(value) for name, value in row.items() if name != "name"}, kind)
    except ValueError as exc:  # msgspec's is one too
        raise not_ours(table, row, exc) from exc


def not_ours(table: str, row: Row, exc: Exception) -> UnavailableError:
    """What is raised for a row that can't be understood."""
    name = row.get("name", {}).get("S", "?")
    return UnavailableError(
        f"Task table {table} holds a row '{name}' that is not ours ({exc!r})", code=type(exc).__name__
    )


def stored(content: msgspec.Struct) -> Row:
    """A struct as a row, without what is None."""
    return {name: row_values.typed(value) for name, value in msgspec.to_builtins(content).items() if value is not None}
