"""The process that looks after tasks: it works while its daemon lives, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from processor.aws.clients import Clients
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.settings.daemon_files import SETTINGS_FILE, SETTINGS_VARIABLE
from processor.settings.settings import Settings
from processor.state import care_row, copy_rows, task_row
from processor.state.care_row import CareRow
from tests.conftest import Tables
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.machine.ended import has_ended
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.task.tasks import task

ITEMS = 200
BATCHES_LET_THROUGH = 2


@pytest.fixture
def destination(dynamodb: DynamoDBLocal) -> Iterator[FaultProxy]:
    """What the destination is called through."""
    with FaultProxy(dynamodb.endpoint) as made:
        yield made


@pytest.fixture
def settings(dynamodb: DynamoDBLocal, destination: FaultProxy, tables: Tables, tmp_path: Path) -> Settings:
    """A replica that is being made: the tables are there, and a start has said where it begins."""
    endpoints = {f"{side}Endpoint": dynamodb.endpoint for side in ("source", "kcl")}
    endpoints["destinationEndpoint"] = destination.endpoint
    names = {"sourceTable": tables.create(), "destinationTable": tables.create(), "taskName": tables.name()}
    more = {"bootstrap": "true", "logDirectory": str(tmp_path), "copySegments": "1"}
    made = task(**endpoints, **names, **more)
    clients = Clients(made)
    clients.source().update_table(
        TableName=made.source_table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    for first in range(0, ITEMS, 25):
        requests = [{"PutRequest": {"Item": {"id": {"S": f"{each:03}"}}}} for each in range(first, first + 25)]
        clients.source().batch_write_item(RequestItems={made.source_table: requests})  # type: ignore[dict-item]
    stream = clients.source().describe_table(TableName=made.source_table)["Table"]["LatestStreamArn"]
    task_row.write(clients.checkpoints(), made.task_table, task_row.of(made, stream), before=None)
    care_row.begin(clients.checkpoints(), made.task_table, "created", before=None, now_ms=1, copy_after_ms=1)
    return made


@pytest.fixture
def daemon(settings: Settings) -> Iterator[LeaseTable]:
    """Somebody who renews the leases, as daemons do."""
    streams = Clients(settings).streams()
    stream = Clients(settings).source().describe_table(TableName=settings.source_table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    number = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    with LeaseTable(settings, {shard["ShardId"]: "w"}, checkpoints={shard["ShardId"]: number}, renewing=["w"]) as made:
        yield made


class Caretaker:
    """The process, with one task's settings as its daemon hands them down."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        folder.mkdir()
        file = folder / SETTINGS_FILE
        file.write_bytes(msgspec.json.encode(settings))
        file.chmod(0o600)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "processor.caretaker.process"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {SETTINGS_VARIABLE: str(file)},
        )
        self._file = file

    def say(self, state: str) -> None:
        """The daemon's word of the task."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"task": str(self._file), "state": state}) + "\n")
        self.process.stdin.flush()

    def family(self) -> list[psutil.Process]:
        """The processes that it has begun."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> str:
        """End its input, as the end of a daemon does; returns what it has said."""
        _, said = self.process.communicate(timeout=PATIENCE_SECONDS)
        return said


def _care(settings: Settings) -> CareRow:
    return care_row.read(Clients(settings).checkpoints(), settings.task_table) or CareRow()


def _is_copying(settings: Settings) -> bool:
    copy = copy_rows.read(Clients(settings).checkpoints(), settings.task_table)
    return copy is not None and copy.state == "running" and bool(copy.members)


@contextlib.contextmanager
def _half_copied(caretaker: Caretaker, settings: Settings, destination: FaultProxy) -> Iterator[None]:
    """Its copy is at work, has written some, and can't be through meanwhile: the destination is busy."""
    busy = destination.inject(faults.error("ThrottlingException"), "BatchWriteItem", after=BATCHES_LET_THROUGH)
    caretaker.say("begun")
    busy.wait()
    until(lambda: _is_copying(settings), "the copy")
    yield
    busy.clear()


@pytest.mark.usefixtures("daemon")
def test_another_goes_on_with_what_one_has_begun(settings: Settings, destination: FaultProxy, tmp_path: Path) -> None:
    """One is killed in the middle of a copy, its copy ends; the next copies the rest, and ends with its daemon."""
    first = Caretaker(settings, tmp_path / "first")
    with _half_copied(first, settings, destination):
        begun = copy_rows.read(Clients(settings).checkpoints(), settings.task_table)
        working = first.family()
        assert working
        first.process.kill()
        first.end()
        until(lambda: all(has_ended(each) for each in working), "the end of the copy")

    second = Caretaker(settings, tmp_path / "second")
    second.say("begun")
    until(lambda: _care(settings).phase in {"verifying", "in sync"}, "the end of the second copy")
    now = copy_rows.read(Clients(settings).checkpoints(), settings.task_table)
    assert begun is not None
    assert now is not None
    assert (now.id, now.state, now.items) == (begun.id, "done", ITEMS)
    working = second.family()
    said = second.end()
    assert second.process.returncode == 0
    until(lambda: all(has_ended(each) for each in working), "the end of whatever it ran")
    assert _care(settings).holder == ""
    assert " ERROR " not in said


def test_nothing_is_done_for_a_task_that_it_is_not_told_of(settings: Settings, tmp_path: Path) -> None:
    """It waits, without a look at any table, until it is told, or until its daemon ends."""
    caretaker = Caretaker(settings, tmp_path / "one")
    assert caretaker.end() == ""
    assert caretaker.process.returncode == 0
    assert _care(settings).holder == ""


@pytest.mark.usefixtures("daemon")
def test_a_task_that_ends_is_given_up(settings: Settings, destination: FaultProxy, tmp_path: Path) -> None:
    """Its copy ends, and the lock is free for another daemon's caretaker."""
    caretaker = Caretaker(settings, tmp_path / "one")
    with _half_copied(caretaker, settings, destination):
        caretaker.say("ended")
        until(lambda: _care(settings).holder == "", "the end of the care")
    assert caretaker.family() == []
    found: Any = copy_rows.read(Clients(settings).checkpoints(), settings.task_table)
    assert (found.state, found.members) == ("running", {})
    caretaker.end()
