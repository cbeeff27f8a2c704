"""Daemons of many tasks: they share all leases, and one of them has a shard for every task that reads it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from processor.commands.demo.workload import create_table, scan
from tests.fakes.daemon.machines import Machines
from tests.fakes.patience import until
from tests.fakes.streams.stream_readers import StreamReaders
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.scenarios.conftest import Pair, Servers

_SHARDS = 4
_TASKS = 3
_FAILOVER_MILLIS = 3_000


def test_daemons_of_many_tasks_share_them(servers: Servers, tmp_path: Path) -> None:
    """Each has its share and each shard one reader; when one dies, another has all of it, and no change is lost."""
    pair = Pair(servers)
    tables = [f"{pair.destination_table}-{number}" for number in range(_TASKS)]
    with ExitStack() as stack:
        simulator = stack.enter_context(StreamsSimulator(shards=_SHARDS, seed=1))
        readers = StreamReaders(simulator)
        source = {"sourceTable": simulator.table, "sourceEndpoint": simulator.endpoint}
        common = {"failoverTimeMillis": str(_FAILOVER_MILLIS)}
        machines = Machines(tmp_path, checkpoints=servers.source, common=common)
        for number, table in enumerate(tables):
            create_table(pair.destination, table, stream=False)
            named = {"destinationTable": table, "taskName": f"{pair.settings['taskName']}-{number}"}
            machines.write(f"task-{number}", pair.settings | source | named)
        one, other = stack.enter_context(machines.running(2))
        simulator.fill(200, prefix="first-")
        until(lambda: machines.is_spread(2, leases_of_all=_SHARDS * _TASKS), "an even spread", pause_seconds=0.2)
        assert [len(each.worker_ids) for each in (one, other)] == [1, 1]

        def is_read_once() -> bool:
            moment = time.monotonic()
            simulator.fill(20, prefix=f"at-{moment}-")
            time.sleep(2.0)  # an idle shard is read once a second
            return [len(found) for found in readers.since(moment).values()] == [1] * _SHARDS

        until(is_read_once, "one reader of each shard")

        other.daemon.process.kill()
        other.daemon.wait()
        simulator.fill(200, prefix="second-")
        until(
            lambda: all(scan(pair.destination, table) == simulator.items() for table in tables),
            "source = destinations",
            pause_seconds=0.2,
        )
        assert set(machines.loads()) == one.worker_ids
