"""What both directions of a two-way task need, in one policy for each principal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from processor.commands.policy import command, permissions
from processor.commands.policy.options import PolicyOptions
from processor.settings.settings import Settings
from tests.fakes.task.tasks import task
from tests.fakes.task.two_way import two_way

if TYPE_CHECKING:
    import pytest

# Nothing listens there.
NOWHERE = dict.fromkeys(("sourceEndpoint", "destinationEndpoint"), "http://127.0.0.1:9")


def _destination(settings: Settings, *names: str) -> set[str]:
    return {
        action.removeprefix("dynamodb:")
        for row in permissions.needed(settings, names)
        if row.resource == "DestinationTable"
        for action in row.actions
    } - {"DescribeTable", "DescribeTimeToLive"}


def test_the_writes_of_each_direction() -> None:
    """The mirror marks what it deletes, the uplink looks before it writes, and neither writes in batches."""
    mirror, uplink = two_way().in_directions
    assert _destination(mirror, "replicate") == {"GetItem", "PutItem", "UpdateItem", "DeleteItem"}
    assert _destination(uplink, "replicate") == {"GetItem", "PutItem", "DeleteItem"}
    assert _destination(mirror, "check") == {"PutItem", "DeleteItem"}


def test_commands_mark_what_they_delete() -> None:
    """Copy, redrive and repair read the spoke's item before they write over it."""
    for name in ("copy", "redrive", "repair"):
        found = _destination(two_way(), name)
        assert found >= {"GetItem", "PutItem", "UpdateItem", "DeleteItem"}
        assert "BatchWriteItem" not in found
        assert "UpdateItem" not in _destination(task(), name)


def test_one_policy_allows_both(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The spoke's stream may be read, the hub written, and both directions' own tables used; each statement once."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    settings = two_way(taskName="t", **NOWHERE)
    assert command.run(settings, PolicyOptions(as_json=True)) == 0
    (policy,) = json.loads(capsys.readouterr().out)["policies"]
    statements = policy["policy"]["Statement"]
    assert len({each["Sid"] for each in statements}) == len(statements)

    def may(action: str, ending: str) -> bool:
        return any(
            f"dynamodb:{action}" in each["Action"] and any(arn.endswith(ending) for arn in each["Resource"])
            for each in statements
        )

    assert may("GetRecords", "/orders-copy/stream/*")
    assert may("PutItem", ":table/orders")
    assert not may("UpdateItem", ":table/orders")
    assert may("UpdateItem", ":table/DynamoDBCrossRegionReplicationt-Uplink")
    assert may("UpdateItem", ":table/DynamoDBCrossRegionReplicationt")


def test_commands_of_one_direction_need_no_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To verify, nothing is asked of the uplink."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    settings = two_way(taskName="t", **NOWHERE)
    assert command.run(settings, PolicyOptions(as_json=True, commands=("verify",))) == 0
    assert "-Uplink" not in capsys.readouterr().out
