"""Describes a table: the only module that calls DescribeTable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.errors import aws_errors
from processor.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Described(msgspec.Struct, frozen=True):
    """DescribeTable's answer.

    :param table: its ``Table``
    :param date: when the service answered, by its own clock, as an HTTP date; empty if the answer has none
    """

    table: dict[str, Any]
    date: str


def described(client: DynamoDBClient, name: str, *, call: str) -> Described:
    """Ask once.

    :param call: the call and its object, for the message of a failure, as "DescribeTable on table orders in eu-west-1"
    :raises NotFoundError: there is no such table
    :raises CredentialsError: we are not allowed to ask
    :raises UnavailableError: no usable answer now; it may work later
    :raises RefusedError: the request is invalid
    """
    with aws_errors(call):
        answer: Any = client.describe_table(TableName=name)
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    return Described(dict(answer["Table"]), date)


def described_if_there(client: DynamoDBClient, name: str, *, call: str) -> dict[str, Any] | None:
    """The table's description, or None where there is no such table; raises as ``described`` does."""
    try:
        return described(client, name, call=call).table
    except NotFoundError:
        return None


def key_types(table: Mapping[str, Any]) -> dict[str, str]:
    """The key's attributes, each with its type (``S``, ``N`` or ``B``): the partition key first.

    :param table: its description
    """
    types = attribute_types(table)
    return {part["AttributeName"]: types[part["AttributeName"]] for part in table["KeySchema"]}


def attribute_types(table: Mapping[str, Any]) -> dict[str, str]:
    """The attributes of all its keys, those of its indexes too, each with its type.

    :param table: its description
    """
    return {part["AttributeName"]: str(part["AttributeType"]) for part in table.get("AttributeDefinitions", [])}


def index_keys(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The key's attributes of each index, global ones first, each with the index's name before it.

    :param table: its description
    """
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in table.get(kind) or []:
            yield from ((index["IndexName"], part["AttributeName"]) for part in index["KeySchema"])
