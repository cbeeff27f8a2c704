"""A destination that refuses some items for good: an index on it wants a string in ``INDEXED``, and takes no number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEXED = "code"


def create(client: DynamoDBClient, name: str) -> None:
    """Make it, with ``id`` as its key."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("id", INDEXED)],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "refuses-numbers",
                "KeySchema": [{"AttributeName": INDEXED, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
