"""KCL's checkpoint table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from processor.errors import UnavailableError
from processor.state import leases
from processor.state.leases import Lease

TABLE = "DynamoDBCrossRegionReplication-t"


@pytest.fixture
def client() -> Iterator[Any]:
    """DynamoDB with an empty checkpoint table."""
    with mock_aws():
        made = boto3.client("dynamodb", region_name="eu-west-1")
        _create(made, TABLE, "leaseKey")
        yield made


def _create(client: Any, table: str, key: str) -> None:
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_no_table_is_not_an_empty_table(client: Any) -> None:
    """A missing table reads as None, for the task was never started; an empty one as no leases."""
    assert leases.read(client, "no-such-table") is None
    assert leases.read(client, TABLE) == []


def test_a_lease_says_who_reads_up_to_where(client: Any) -> None:
    """A row is read as KCL and the original write it; attributes that a fresh lease lacks are None or 0."""
    full = {"leaseKey": "s-1", "leaseOwner": "w", "checkpoint": "SHARD_END", "checkpointSubSequenceNumber": "0"}
    client.put_item(
        TableName=TABLE, Item={name: {"S": value} for name, value in full.items()} | {"leaseCounter": {"N": "7"}}
    )
    client.put_item(TableName=TABLE, Item={"leaseKey": {"S": "s-2"}})
    expected = [
        Lease(shard_id="s-1", owner="w", counter=7, checkpoint=leases.SHARD_END),
        Lease(shard_id="s-2", owner=None, counter=0, checkpoint=None),
    ]
    assert expected == sorted(leases.read(client, TABLE) or [], key=lambda lease: lease.shard_id)


def test_kcls_other_rows_are_left_out(client: Any) -> None:
    """Rows with an ``entityType``, in which KCL 3.5 keeps its own state, are no leases."""
    client.put_item(TableName=TABLE, Item={"leaseKey": {"S": "Migration3.0"}, "entityType": {"S": "STATE"}})
    assert leases.read(client, TABLE) == []


def test_every_page_is_read(client: Any) -> None:
    """A table of more than one page of the scan is read to its end."""
    for i in range(3):
        padding = {"childShardIds": {"S": "x" * 390_000}}
        client.put_item(TableName=TABLE, Item={"leaseKey": {"S": f"s-{i}"}} | padding)
    assert "LastEvaluatedKey" in client.scan(TableName=TABLE)
    assert {"s-0", "s-1", "s-2"} == {lease.shard_id for lease in leases.read(client, TABLE) or []}


def test_a_strange_row_is_said(client: Any) -> None:
    """A row that is none of KCL's is an error that names the table."""
    _create(client, "strange", "id")
    client.put_item(TableName="strange", Item={"id": {"S": "s-1"}})
    with pytest.raises(UnavailableError, match="Checkpoint table strange"):
        leases.read(client, "strange")
