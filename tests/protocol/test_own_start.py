"""What a start does by itself: destination and stream of a new replica, and the beginning anew after a gap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from processor.aws.clients import Clients
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.replicate.command import look_at
from processor.settings.settings import Settings
from processor.startup.preflight import PreflightReport
from processor.state import care_row, leases, task_row
from processor.state.care_row import CareRow
from tests.conftest import Tables
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.task.tasks import task

OLD = "arn:aws:dynamodb:ddblocal:000000000000:table/orders/stream/2020-01-01T00:00:00.000"


@pytest.fixture
def settings(dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path) -> Settings:
    """A new replica's: there is a source, and nothing else."""
    return _settings(dynamodb, tables, tmp_path)


def _settings(dynamodb: DynamoDBLocal, tables: Tables, folder: Path, **changed: str) -> Settings:
    endpoints = {f"{side}Endpoint": dynamodb.endpoint for side in ("source", "destination", "kcl")}
    names = {"sourceTable": tables.create(), "destinationTable": tables.name(), "taskName": tables.name()}
    return task(**{**endpoints, **names, "bootstrap": "true", "logDirectory": str(folder), **changed})


def _look(settings: Settings) -> PreflightReport:
    return look_at(settings, set(), machine=False)


def _errors(report: PreflightReport) -> list[str]:
    return [finding.id for finding in report.errors]


def _care(settings: Settings) -> CareRow | None:
    return care_row.read(Clients(settings).checkpoints(), settings.task_table)


def _described(settings: Settings, table: str) -> dict[str, Any]:
    found: dict[str, Any] = Clients(settings).source().describe_table(TableName=table)["Table"]  # type: ignore[assignment]
    return found


def test_a_new_replica_has_its_tables_made(settings: Settings) -> None:
    """Once: the next start finds all of it, also if the first was killed at its end."""
    report = _look(settings)
    assert _errors(report) == []
    assert _described(settings, settings.destination_table)["TableStatus"] == "ACTIVE"
    stream = _described(settings, settings.source_table)["LatestStreamArn"]
    assert report.facts.task is not None
    assert report.facts.task.stream_arn == stream
    before = _care(settings)
    assert before is not None
    assert before.phase == "created"
    assert _errors(_look(settings)) == []
    assert _care(settings) == before
    assert _described(settings, settings.source_table)["LatestStreamArn"] == stream


def test_nothing_is_made_where_anything_else_is_wrong(dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path) -> None:
    """The start is refused, with the source as it was."""
    settings = _settings(dynamodb, tables, tmp_path, initialPositionInStream="LATEST")
    assert "initial-position" in _errors(_look(settings))
    assert not _described(settings, settings.source_table).get("StreamSpecification")


def test_a_destination_that_holds_items_is_refused(settings: Settings, tables: Tables) -> None:
    """Unless this task is known to have begun it."""
    tables.create(name=settings.destination_table)
    tables.put(settings.destination_table, {"id": {"S": "another's"}})
    assert "bootstrap-onto-items" in _errors(_look(settings))
    assert _care(settings) is None
    client = Clients(settings).checkpoints()
    task_row.write(client, settings.task_table, task_row.of(settings, OLD), before=None)
    care_row.begin(client, settings.task_table, "created", before=None, now_ms=1, copy_after_ms=1)
    assert _errors(_look(settings)) == []


@pytest.mark.parametrize("after_loss", ["hold", "copy"])
def test_a_gap_is_begun_anew_where_that_is_asked_for(
    after_loss: str, dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path
) -> None:
    """The old stream's checkpoints go once no daemon uses them; what was lost is written down before that."""
    settings = _settings(dynamodb, tables, tmp_path, afterLoss=after_loss, bootstrap="false", failoverTimeMillis="1000")
    tables.create(name=settings.destination_table)
    clients = Clients(settings)
    clients.source().update_table(
        TableName=settings.source_table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    task_row.write(clients.checkpoints(), settings.task_table, task_row.of(settings, OLD), before=None)
    with LeaseTable(settings, {"shardId-old": "w"}, checkpoints={"shardId-old": "5"}, renewing=["w"]):
        refused = "old-stream-replicated" if after_loss == "copy" else "stream-replaced"
        assert _errors(_look(settings)) == [refused]
    report = _look(settings)
    if after_loss == "hold":
        assert _errors(report) == ["stream-replaced"]
        assert leases.read(clients.checkpoints(), settings.checkpoint_table)
        return
    assert _errors(report) == []
    assert [finding.id for finding in report.findings if finding.id == "stream-replaced"]
    assert leases.read(clients.checkpoints(), settings.checkpoint_table) == []
    care = _care(settings)
    assert care is not None
    assert (care.phase, care.lost_ms) == ("copying", care.copy_after_ms)
    assert care.lost_ms > 0
    assert report.facts.task is not None
    assert report.facts.task.stream_arn == _described(settings, settings.source_table)["LatestStreamArn"]
    assert _errors(_look(settings)) == []
    assert _care(settings) == care
