"""The task's own row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from processor.aws.clients import Clients
from processor.errors import NotReadyError
from processor.state import task_row as tasks
from processor.state.task_row import Task
from tests.fakes.task.tasks import task as made_settings

TABLE = "DynamoDBCrossRegionReplication-t-Task"
TASK = Task(
    source_region="eu-west-1",
    source_table="orders",
    destination_region="us-east-1",
    destination_table="orders-copy",
    stream_arn="arn:1",
)
OTHER = msgspec.structs.replace(TASK, destination_table="other-copy")
NEW_STREAM = msgspec.structs.replace(TASK, stream_arn="arn:2")


@pytest.fixture
def client() -> Iterator[Any]:
    """DynamoDB without tables."""
    with mock_aws():
        yield boto3.client("dynamodb", region_name="eu-west-1")


def test_what_is_written_is_read(client: Any) -> None:
    """The first start makes the table and its row; until then there is none, with or without the table."""
    assert tasks.read(client, TABLE) is None
    tasks.write(client, TABLE, TASK, before=None)
    assert tasks.read(client, TABLE) == TASK
    client.delete_item(TableName=TABLE, Key={"name": {"S": "task"}})
    assert tasks.read(client, TABLE) is None


def test_a_row_that_is_right_is_left_alone(client: Any) -> None:
    """A start that would change nothing writes nothing: it does not even make the table."""
    tasks.write(client, TABLE, TASK, before=TASK)
    assert client.list_tables()["TableNames"] == []


def test_a_row_follows_the_stream(client: Any) -> None:
    """A start that knew the row as it was may change it."""
    tasks.write(client, TABLE, TASK, before=None)
    tasks.write(client, TABLE, NEW_STREAM, before=TASK)
    assert tasks.read(client, TABLE) == NEW_STREAM


@pytest.mark.parametrize("before", [None, NEW_STREAM, OTHER], ids=["no row", "another stream", "another destination"])
def test_of_two_starts_at_once_one_decides(client: Any, before: Task | None) -> None:
    """Two starts that saw the same row can't both claim the task; the second is told whose it is."""
    tasks.write(client, TABLE, before or TASK, before=None)
    if before:
        tasks.write(client, TABLE, TASK, before=before)
    late = msgspec.structs.replace(TASK, destination_table="late-copy")
    with pytest.raises(NotReadyError, match="orders in eu-west-1 to orders-copy"):
        tasks.write(client, TABLE, late, before=before)
    assert tasks.read(client, TABLE) == TASK


def test_two_starts_of_one_task_agree(client: Any) -> None:
    """Two daemons of the same task that start at once both go on."""
    tasks.write(client, TABLE, TASK, before=None)
    tasks.write(client, TABLE, TASK, before=None)
    assert tasks.read(client, TABLE) == TASK


def test_a_table_that_is_there_is_not_made(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write a row need not be allowed to make its table."""
    tasks.write(client, TABLE, TASK, before=None)
    client.delete_item(TableName=TABLE, Key={"name": {"S": "task"}})

    def refuse(**_: Any) -> None:
        raise AssertionError("CreateTable was called")

    monkeypatch.setattr(client, "create_table", refuse)
    tasks.write(client, TABLE, TASK, before=None)
    assert tasks.read(client, TABLE) == TASK


@pytest.mark.parametrize(
    ("before", "begun", "first_start_ms"),
    [
        (None, False, "9"),
        (None, True, "0"),
        (msgspec.structs.replace(TASK, first_start_ms="5"), True, "5"),
        (msgspec.structs.replace(NEW_STREAM, first_start_ms="5"), False, "5"),
        (msgspec.structs.replace(OTHER, first_start_ms="5"), False, "9"),
        (TASK, True, "0"),
        (TASK, False, "9"),
    ],
    ids=[
        "none yet",
        "begun by another program",
        "there",
        "another stream",
        "another task",
        "begun by an earlier version",
        "claimed by one",
    ],
)
def test_since_when_a_task_is_replicated(before: Task | None, first_start_ms: str, client: Any, *, begun: bool) -> None:
    """The moment is kept for as long as the same tables are replicated, so that LATEST means the same at each start."""
    if before is not None:
        tasks.write(client, TABLE, before, before=None)
    settings = made_settings(
        sourceRegion=TASK.source_region,
        sourceTable=TASK.source_table,
        destinationRegion=TASK.destination_region,
        destinationTable=TASK.destination_table,
        taskName="-t",
        kclRegion="eu-west-1",
    )
    assert settings.task_table == TABLE
    stored = tasks.record(
        settings, Clients(settings), stream_arn="arn:1", destination_arn="", before=before, now_ms=9, begun=begun
    )
    assert stored.first_start_ms == first_start_ms
    assert tasks.read(client, TABLE) == stored


def test_two_first_starts_at_once_agree_on_the_moment(client: Any) -> None:
    """The second takes that of the first."""
    first = msgspec.structs.replace(TASK, first_start_ms="5")
    tasks.write(client, TABLE, first, before=None)
    assert first == tasks.write(client, TABLE, msgspec.structs.replace(TASK, first_start_ms="6"), before=None)
