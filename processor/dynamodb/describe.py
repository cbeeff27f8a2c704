"""Describes a table: the only module that calls DescribeTable."""

from __future__ import annotations

from collections.abc import Mapping
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
    types = {part["AttributeName"]: str(part["AttributeType"]) for part in table["AttributeDefinitions"]}
    return {part["AttributeName"]: types[part["AttributeName"]] for part in table["KeySchema"]}
