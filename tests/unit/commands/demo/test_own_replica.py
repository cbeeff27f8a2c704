"""The demo's source that is full at the start, and what is said of the replica."""

from __future__ import annotations

import boto3
from moto import mock_aws

from processor.commands.demo import own_replica
from processor.commands.demo.own_replica import OwnReplica
from processor.commands.demo.workload import LagProbe, scan
from processor.state import care_row, task_row
from tests.fakes.task.tasks import task


def test_a_full_source_without_a_stream() -> None:
    """As a table is that has been in use; the destination is not there, which nobody takes for a failure."""
    settings = task(bootstrap="true")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        made = OwnReplica(client, settings)
        made.fill()
        assert len(scan(client, settings.source_table)) == own_replica.ITEMS
        table = client.describe_table(TableName=settings.source_table)["Table"]
        assert not table.get("StreamSpecification", {}).get("StreamEnabled")
        assert scan(client, "orders-not-yet") == {}
        assert made.phase() == "not begun"
        task_row.write(client, settings.task_table, task_row.of(settings, "arn"), before=None)
        care_row.begin(client, settings.task_table, "created", before=None, now_ms=0, copy_after_ms=0)
        assert made.phase() == "created, and not copied yet (since 1970-01-01T00:00:00Z)"
        probe = LagProbe(client, settings.source_table, client, "orders-not-yet")
        probe.start()
        probe.stop()
        assert probe.samples_seconds() == []


def test_the_copy_is_slow_unless_told() -> None:
    """So that a person sees it."""
    client = boto3.client("dynamodb", region_name="eu-west-1")
    assert OwnReplica(client, task(bootstrap="true")).options() == ["--copyWriteUnits", "200"]
    assert OwnReplica(client, task(bootstrap="true", copyWriteUnits="7")).options() == []
