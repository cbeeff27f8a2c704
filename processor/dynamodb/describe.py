"""What a table is, as DescribeTable says. The one place that asks it."""

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
    :param date: when it was given, by the service's clock, as HTTP writes it; empty where that is not said
    """

    table: dict[str, Any]
    date: str


def described(client: DynamoDBClient, name: str, *, call: str) -> Described:
    """Ask once.

    :param call: the call and its object, for the message of a failure, as "DescribeTable on table orders in eu-west-1"
    :raises NotFoundError: there is no such table
    :raises CredentialsError: we may not ask
    :raises UnavailableError: it can't be known now
    :raises RefusedError: the question is no good
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
