"""Conflicts are kept before anything else happens, counted, and said without what the items hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from processor.errors import HeldError
from processor.replication.dead_letters import stores
from processor.replication.two_way.conflict_log import ConflictLog
from processor.replication.two_way.conflicts import Conflict
from processor.reporting.logs import Log
from tests.fakes.dynamodb.changes import put
from tests.fakes.task.tasks import task

CONFLICT = Conflict(
    outcome="hubWins",
    spoke_image=msgspec.Raw(b'{"id":{"S":"k"},"secret":{"S":"x"}}'),
    spoke_old_image=None,
    hub_image=msgspec.Raw(b'{"id":{"S":"k"}}'),
    hub_sequence_number="7",
    mirrored_ms=1_700_000_000_123,
    sequence_number="100",
    created_ms=1_700_000_000_000,
)


def _log(place: Path, counted: list[Any]) -> ConflictLog:
    settings = structs.replace(task(), conflict_uri=f"file://{place}", two_way=True, direction="uplink")
    store = stores.of_conflicts(settings)
    return ConflictLog(store, settings=settings, shard_id="shard-1", log=Log(), counted=counted.append)


def test_a_conflict_has_all_that_decides_it(tmp_path: Path) -> None:
    """Both images, both numbers, the times, and whose it was."""
    counted: list[Any] = []
    _log(tmp_path / "conflicts.jsonl", counted).keep(put("k"), CONFLICT)
    kept = json.loads((tmp_path / "conflicts.jsonl").read_text())
    assert counted == ["hubWins"]
    assert kept.pop("time").startswith("20")
    assert kept == {
        "taskName": task().task_name,
        "outcome": "hubWins",
        "hubTable": "orders-copy",
        "hubRegion": "us-east-1",
        "spokeTable": "orders",
        "spokeRegion": "eu-west-1",
        "shardId": "shard-1",
        "sequenceNumber": "100",
        "writtenAt": "2023-11-14T22:13:20.000+00:00",
        "hubSequenceNumber": "7",
        "mirroredAt": "2023-11-14T22:13:20.123+00:00",
        "key": {"id": {"S": "k"}},
        "spokeImage": {"id": {"S": "k"}, "secret": {"S": "x"}},
        "spokeOldImage": None,
        "hubImage": {"id": {"S": "k"}},
    }


def test_a_conflict_that_cannot_be_kept_holds_the_shard(tmp_path: Path) -> None:
    """It is not counted; the message has the setting's remedy, and no item."""
    counted: list[Any] = []
    with pytest.raises(HeldError, match=r"The conflicts in .* is not applied") as raised:
        _log(tmp_path, counted).keep(put("k"), CONFLICT)
    assert counted == []
    assert "secret" not in str(raised.value)


def test_conflicts_that_nobody_asks_for_are_counted() -> None:
    """Without conflictUri."""
    counted: list[Any] = []
    settings = structs.replace(task(), two_way=True, direction="uplink")
    log = ConflictLog(stores.of_conflicts(settings), settings=settings, shard_id="s", log=Log(), counted=counted.append)
    log.keep(put("k"), structs.replace(CONFLICT, outcome="lastArrival", mirrored_ms=10**30))
    assert counted == ["lastArrival"]


def test_a_bucket_is_named_by_the_same_setting() -> None:
    """With its prefix and the task's name."""
    settings = structs.replace(task(), conflict_uri="s3://bucket/of/ours?owner=123456789012")
    store = stores.of_conflicts(settings)
    assert store is not None
    assert store.place == f"s3://bucket/of/ours/{task().task_name}/"
