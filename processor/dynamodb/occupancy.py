"""Looks whether a table holds any item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A table from which much was deleted may have empty pages before its first item.
MOST_PAGES = 20


def has_items(client: DynamoDBClient, name: str) -> bool:
    """Whether one is found in the table's first pages. None is believed at the second look: others' items may be there.

    :raises UnavailableError: it can't be read now
    :raises RefusedError: DynamoDB refuses the question
    """
    return _finds_one(client, name) or _finds_one(client, name)


def _finds_one(client: DynamoDBClient, name: str) -> bool:
    start: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        with aws_errors(f"Scan of table {name}"):
            page = client.scan(TableName=name, Limit=1, ConsistentRead=True, **start)
        if page.get("Items"):
            return True
        if not page.get("LastEvaluatedKey"):
            return False
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return False
