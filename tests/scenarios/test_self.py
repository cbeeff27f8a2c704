"""A replica that looks after itself: one file, one command, and whatever is killed or lost."""

from __future__ import annotations

import signal
import threading
from typing import Any

import boto3
import msgspec
import pytest

from processor.state import care_row, copy_rows
from processor.state.care_row import CareRow
from processor.state.copy_rows import CopyState
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet, Servers

ITEMS = 300
BATCHES_LET_THROUGH = 2


class Task:
    """What the fleet's task keeps in its own table."""

    def __init__(self, fleet: Fleet, servers: Servers) -> None:
        self._client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=servers.source)
        self._table = f"{fleet.checkpoint_table}-Task"

    def care(self) -> CareRow:
        """The caretakers' row."""
        return care_row.read(self._client, self._table) or CareRow()

    def copy(self) -> CopyState | None:
        """The row of the last copy."""
        return copy_rows.read(self._client, self._table)

    def age(self, copy: CopyState, minutes: int) -> None:
        """Have the copy be made earlier: what is lost is a day old, and a copy of this minute would have it."""
        began = copy.started_ms - minutes * 60_000
        copy_rows.write(self._client, self._table, msgspec.structs.replace(copy, started_ms=began), before=copy)

    def is_copying(self) -> bool:
        """Whether somebody works on a copy."""
        copy = self.copy()
        return copy is not None and copy.state == "running" and bool(copy.members)


@pytest.fixture
def writing() -> Any:
    """Begins to write to a fleet's source until the end of the test, or until it is told to stop."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def write(fleet: Fleet) -> None:
        number = 0
        while not stop.wait(0.02):
            fleet.simulator.put({"id": {"S": f"live-{number % 50}"}, "n": {"N": str(number)}})
            fleet.simulator.delete({"id": {"S": f"live-{(number + 25) % 50}"}})
            number += 1

    def begin(fleet: Fleet) -> threading.Event:
        threads.append(threading.Thread(target=write, args=(fleet,)))
        threads[-1].start()
        return stop

    yield begin
    stop.set()
    for thread in threads:
        thread.join()


def in_sync(daemon: Replicator, times: int) -> None:
    """Until the console has said so, so often."""
    until(lambda: len(daemon.events("in_sync")) == times, f"in sync, {times} times")


def is_made_good(fleet: Fleet, daemon: Replicator, *, arrived: str, gone: str) -> None:
    """The tables are equal, what was lost has come, what was deleted is gone, and nobody had to act."""
    fleet.wait_equal()
    assert fleet.replicated(arrived)
    assert not fleet.replicated(gone)
    assert " ERROR " not in daemon.console
    assert daemon.stop() == 0


def test_from_nothing_to_proven_and_back_after_a_kill_and_a_loss(
    make_fleet: MakeFleet, servers: Servers, writing: Any
) -> None:
    """A filled source, trimmed; a kill in the copy; a loss of a shard; the stream off and on while no daemon runs."""
    fleet = make_fleet(shards=2, bootstrap="true", afterLoss="copy", copySegments="2")
    fleet.destination_table = fleet.settings["destinationTable"] = f"{fleet.destination_table}-made"
    fleet.simulator.fill(ITEMS, prefix="old-")
    fleet.simulator.trim()
    written = writing(fleet)
    task = Task(fleet, servers)

    # The copy has written some, and can't be through before the kill.
    busy = fleet.proxy.inject(
        faults.error("ThrottlingException"),
        "BatchWriteItem",
        when=lambda exchange: b"old-" in exchange.body,
        after=BATCHES_LET_THROUGH,
    )
    daemon = fleet.start()
    busy.wait()
    until(lambda: task.care().phase == "copying" and task.is_copying(), "the copy")
    begun = task.copy()
    daemon.stop(signal.SIGKILL)
    busy.clear()
    daemon.start(environment={"AWS_ACCESS_KEY_ID": "fleet"})
    in_sync(daemon, 1)
    now = task.copy()
    assert begun is not None
    assert now is not None
    assert (now.id, now.state) == (begun.id, "done"), "the copy was begun anew"
    assert "In sync, verified at " in daemon.console
    assert task.care().phase == "in sync"

    assert daemon.stop() == 0
    task.age(now, minutes=10)
    written.set()
    fleet.simulator.delete({"id": {"S": "old-00000001"}})
    lost = fleet.simulator.put({"id": {"S": "lost"}})
    fleet.simulator.trim()
    assert lost is not None
    fleet.simulator.roll_over(lost.shard_id)
    fleet.simulator.put({"id": {"S": "later"}})
    daemon.start(environment={"AWS_ACCESS_KEY_ID": "fleet"})
    in_sync(daemon, 2)
    assert "WARNING changes_lost_recovering " in daemon.console
    is_made_good(fleet, daemon, arrived="lost", gone="old-00000001")

    fleet.simulator.disable_stream()  # while no daemon runs; what is changed meanwhile is in no stream
    fleet.simulator.delete({"id": {"S": "old-00000002"}})
    fleet.simulator.put({"id": {"S": "old-00000003"}, "is": {"S": "new"}})
    fleet.simulator.put({"id": {"S": "unseen"}})
    fleet.simulator.recreate_stream(shards=2)
    daemon.start(environment={"AWS_ACCESS_KEY_ID": "fleet"})
    in_sync(daemon, 3)
    assert "WARNING changes_lost_at_start " in daemon.console
    is_made_good(fleet, daemon, arrived="unseen", gone="old-00000002")
