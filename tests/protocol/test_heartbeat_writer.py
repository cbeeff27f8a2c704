"""The heartbeat's writes, on DynamoDB Local."""

from __future__ import annotations

import boto3
import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.errors import UnavailableError
from processor.metrics.heartbeat import WRITTEN_AT
from processor.metrics.heartbeat_writer import HeartbeatWriter
from tests.conftest import REGION, Tables

NOW = 1_800_000_000


def _writer(dynamodb: DynamoDBLocal, table: str, *, now: float) -> HeartbeatWriter:
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=dynamodb.endpoint)
    return HeartbeatWriter(
        table,
        region=REGION,
        connect=lambda: client,
        task_name="t",
        seconds=10,
        clock=lambda: now,
    )


@pytest.mark.parametrize("key", [("id:S",), ("id:N", "at:B")])
def test_a_fleet_writes_one_heartbeat(key: tuple[str, ...], tables: Tables, dynamodb: DynamoDBLocal) -> None:
    """Of any number of daemons one writes each beat, under one key, of whatever types the table's is."""
    table = tables.create(*key)
    assert _writer(dynamodb, table, now=NOW).beat()
    assert not _writer(dynamodb, table, now=NOW + 0.1).beat()
    assert not _writer(dynamodb, table, now=NOW + 4.9).beat()
    assert _writer(dynamodb, table, now=NOW + 10.1).beat()
    (item,) = tables.items(table)
    assert item[WRITTEN_AT] == {"N": str(NOW * 1000 + 10_100)}


def test_a_clock_that_is_ahead_silences_nobody(tables: Tables, dynamodb: DynamoDBLocal) -> None:
    """A beat from the future is written over, where clocks can't be meant to differ so far."""
    table = tables.create()
    assert _writer(dynamodb, table, now=NOW + 61).beat()
    assert _writer(dynamodb, table, now=NOW).beat()
    assert not _writer(dynamodb, table, now=NOW - 59).beat()


def test_a_heartbeat_that_cannot_be_written(dynamodb: DynamoDBLocal) -> None:
    """It is an error that names call and table, and the next beat tries again."""
    with pytest.raises(UnavailableError, match=r"PutItem \(the heartbeat\) on table nowhere in"):
        _writer(dynamodb, "nowhere", now=NOW).beat()
