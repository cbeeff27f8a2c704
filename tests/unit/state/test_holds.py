"""Rows that say what keeps a shard from going on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from processor.errors import UnavailableError
from processor.state import holds
from processor.state import task_row as tasks
from processor.state.holds import Hold
from tests.unit.state.test_task_row import TABLE, TASK

HOLD = Hold(kind="hold", shard_id="shardId-1", since_ms=1_000, seen_ms=2_000, sequence_number="200", reason="no")


@pytest.fixture
def client() -> Iterator[Any]:
    """DynamoDB with a task's table."""
    with mock_aws():
        made = boto3.client("dynamodb", region_name="eu-west-1")
        tasks.write(made, TABLE, TASK, before=None)
        yield made


def test_what_is_put_is_read_until_it_is_removed(client: Any) -> None:
    """Each kind of each shard has a row; other rows of the table are none of them."""
    rows = [msgspec.structs.replace(HOLD, kind=kind, shard_id=shard) for kind in ("hold", "loss") for shard in "ab"]
    for row in rows:
        holds.put(client, TABLE, row)
    assert rows == holds.read(client, TABLE)
    holds.remove(client, TABLE, "hold", "a")
    holds.remove(client, TABLE, "hold", "a")
    assert rows[1:] == holds.read(client, TABLE)


def test_the_same_change_is_waited_at_since_the_first_time(client: Any) -> None:
    """A row keeps its beginning while it names the same change, whoever writes it."""
    holds.put(client, TABLE, HOLD)
    holds.put(client, TABLE, msgspec.structs.replace(HOLD, since_ms=5_000, seen_ms=9_000))
    assert holds.read(client, TABLE) == [msgspec.structs.replace(HOLD, seen_ms=9_000)]
    later = msgspec.structs.replace(HOLD, since_ms=5_000, sequence_number="201")
    holds.put(client, TABLE, later)
    assert holds.read(client, TABLE) == [later]


def test_without_a_table_there_are_none(client: Any) -> None:
    """A task that was never started waits at nothing; a row that is not ours is said, by its name."""
    assert holds.read(client, "other") == []
    client.put_item(TableName=TABLE, Item={"name": {"S": "hold#x"}})
    with pytest.raises(UnavailableError, match="'hold#x' that is not ours"):
        holds.read(client, TABLE)


@pytest.mark.parametrize(
    ("kind", "checkpoint", "over"),
    [
        ("hold", "199", False),
        ("hold", "1999", True),
        ("hold", "200", True),
        ("outage", "SHARD_END", True),
        ("hold", "TRIM_HORIZON", False),
        ("hold", None, False),
        ("loss", "200", False),
        ("loss", None, False),
        ("loss", "199", False),
        ("loss", "1999", True),
        ("loss", "TRIM_HORIZON", True),
        ("loss", "SHARD_END", True),
    ],
)
def test_a_checkpoint_ends_a_hold(kind: Any, checkpoint: str | None, over: bool) -> None:  # noqa: FBT001  # a case
    """A hold whose change is checkpointed is over, row or not; so is a loss that a checkpoint has passed."""
    assert msgspec.structs.replace(HOLD, kind=kind).is_over(checkpoint) == over
