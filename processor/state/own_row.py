"""One of our own rows of the task table: read, changed on a condition, and understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from processor.aws.errors import aws_errors
from processor.dynamodb.absence import unless_missing
from processor.errors import ConditionFailedError, ReplicatorError, UnavailableError
from processor.flow import shapes
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
    values: Mapping[str, Any],
    condition: str | None = None,
    names: Mapping[str, str] | None = None,
    taken: Callable[[str], ReplicatorError] | None = None,
) -> Row:
    """Change a row, on a condition if there is one; returns it as it is then.

    :param values: what the expressions' names stand for: texts, numbers, flags, and structs, lists and maps of them
    :param taken: makes the error of who is too late, from the table's name, if the condition does not hold
    :raises ConditionFailedError: the condition does not hold, and there is no ``taken``
    :raises NotFoundError: there is no such table
    :raises UnavailableError: it can't be stored now
    """
    more: dict[str, Any] = {"ConditionExpression": condition, "ExpressionAttributeNames": names}
    try:
        with aws_errors(f"UpdateItem on task table {table}"):
            answer = client.update_item(
                TableName=table,
                Key=key,
                UpdateExpression=expression,
                ExpressionAttributeValues={
                    name: row_values.typed(msgspec.to_builtins(value)) for name, value in values.items()
                },
                ReturnValues="ALL_NEW",
                **{name: value for name, value in more.items() if value},
            )
    except ConditionFailedError as exc:
        if taken is None:
            raise
        raise taken(table) from exc
    found: Row = answer.get("Attributes", {})
    return found


def parsed(row: Row, kind: type[T], table: str) -> T:
    """What a row says.

    :raises UnavailableError: it is not ours
    """
    try:
        return shapes.convert({name: row_values.plain(value) for name, value in row.items() if name != "name"}, kind)
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


class OwnRow(Generic[T]):
    """The row of one name, which one process at a time writes; each change tells who is too late.

    :param name: its key
    :param kind: what it holds
    :param taken: makes the error of who is too late, from the table's name
    """

    def __init__(self, name: str, kind: type[T], taken: Callable[[str], ReplicatorError]) -> None:
        self.name = name
        self.key: Row = {"name": {"S": name}}
        self.taken = taken
        self._kind = kind

    def read(self, client: DynamoDBClient, table: str) -> T | None:
        """What it holds, or None if there is none.

        :raises UnavailableError: the table can't be read, or has a row that is not ours
        """
        row = read(client, table, self.key)
        return None if row is None else self.parsed(row, table)

    def update(
        self,
        client: DynamoDBClient,
        table: str,
        expression: str,
        *,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> Row:
        """Change it on a condition, as the function does.

        :raises ReplicatorError: what ``taken`` makes, if the condition does not hold
        :raises NotFoundError: there is no such table
        :raises UnavailableError: it can't be stored now
        """
        return update(
            client, table, self.key, expression, condition=condition, values=values, names=names, taken=self.taken
        )

    def parsed(self, row: Row, table: str) -> T:
        """What such a row holds.

        :raises UnavailableError: it is not ours
        """
        return parsed(row, self._kind, table)
