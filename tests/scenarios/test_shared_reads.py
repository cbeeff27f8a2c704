"""Tasks of one stream in one daemon: they read it together, each at its own pace where it must."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path

import javaproperties
import pytest

from processor.commands.demo.workload import create_table, scan
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.scenarios.conftest import Servers

_TASKS = 5
_LOOK_SECONDS = 4.0


class Replicas(Fleet):
    """A source of one shard and several destinations, each a task in one daemon; the last one's is behind a proxy."""

    def __init__(self, folder: Path, servers: Servers, away: FaultProxy) -> None:
        super().__init__(folder, checkpoints=servers.source, destination=servers.destination, shards=1)
        self.tables = [f"{self.destination_table}-{number}" for number in range(_TASKS)]
        self._files = folder / "tasks"
        self._files.mkdir()
        for table in self.tables:
            create_table(self._destination, table, stream=False)
        self._tasks = [
            self.settings
            | {
                "dontPublishCloudwatch": "true",
                "logDirectory": str(folder / "logs"),
                "taskName": f"{self.settings['taskName']}-{number}",
                "destinationTable": table,
            }
            for number, table in enumerate(self.tables)
        ]
        self._tasks[-1]["destinationEndpoint"] = away.endpoint

    def start_tasks(self, count: int) -> Replicator:
        """A daemon of the last so many tasks."""
        files = [self._files / f"task-{number}.properties" for number in range(count)]
        for file, settings in zip(files, self._tasks[-count:], strict=True):
            file.write_text(javaproperties.dumps(settings, timestamp=False), encoding="latin-1")
        daemon = Replicator(self._folder / "daemon", {}, given=files)
        self.daemons.append(daemon)
        return daemon.start()

    def arrived(self, key: str, tables: list[str] | None = None) -> bool:
        """Whether all of these destinations have the item."""
        return all(key in {str(id_) for id_ in self._ids(table)} for table in tables or self.tables)

    def _ids(self, table: str) -> list[str]:
        return [item["id"]["S"] for item in scan(self._destination, table).values()]

    def equal(self) -> bool:
        """Whether all destinations hold what the source does."""
        return all(scan(self._destination, table) == self.simulator.items() for table in self.tables)

    def reads(self, seconds: float = _LOOK_SECONDS) -> int:
        """Calls of GetRecords in that time from now."""
        before = self.simulator.received["GetRecords"]
        time.sleep(seconds)
        return self.simulator.received["GetRecords"] - before


@pytest.fixture
def away(servers: Servers) -> Iterator[FaultProxy]:
    """The last task's way to its destination."""
    with FaultProxy(servers.destination) as proxy:
        yield proxy


@pytest.fixture
def replicas(servers: Servers, away: FaultProxy, tmp_path: Path) -> Iterator[Replicas]:
    """One source, and what its replicas need."""
    with Replicas(tmp_path, servers, away) as made:
        yield made


def test_more_destinations_cost_no_more_reads(replicas: Replicas) -> None:
    """A shard that is written is read every 125 ms at most, whatever the number of tasks."""
    replicas.start_tasks(_TASKS)
    replicas.simulator.put({"id": {"S": "first"}})
    until(lambda: replicas.arrived("first"), "the first record at all destinations")
    until(lambda: replicas.reads() <= 1.1 * _LOOK_SECONDS / 0.125, "the reads of one task")
    replicas.simulator.fill(3_000)
    until(replicas.equal, "source = destinations")


def test_a_destination_that_is_away_holds_nobody(replicas: Replicas, away: FaultProxy) -> None:
    """The others go on and share; it reads by itself when it is back, and then with the others again."""
    replicas.start_tasks(_TASKS)
    replicas.simulator.put({"id": {"S": "first"}})
    until(lambda: replicas.arrived("first"), "the first record at all destinations")
    fault = away.inject(faults.error("ThrottlingException"))
    others = replicas.tables[:-1]
    for number in range(10):
        replicas.simulator.fill(200, prefix=f"meanwhile-{number}-")
        last = f"meanwhile-{number}-00000200"
        until(functools.partial(replicas.arrived, last, others), "the others", pause_seconds=0.2)
    assert not replicas.arrived("meanwhile-9-00000200")
    fault.clear()
    until(replicas.equal, "source = destinations")
    until(lambda: replicas.reads() <= 1.1 * _LOOK_SECONDS / 0.125, "the reads of one task")
