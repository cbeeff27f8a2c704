"""Answers without end, too large or too deep, to the daemon: retried and said like any failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.fakes.daemon.fleet import Fleet
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import boundless
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import FaultyServer
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet, Servers

# A quarter of what a daemon has by default: eight answers of 200 MB, or of 3 GB, are more than that.
SMALL_HEAP = {"javaOptions": "-Xmx256m"}
SHARDS = 8


@contextlib.contextmanager
def goes_on(fleet: Fleet, daemon: Replicator) -> Iterator[None]:
    """After what happens inside, the same process replicates on."""
    yield
    assert daemon.process.poll() is None, daemon.console[-3000:]
    for number in range(SHARDS * 2):
        fleet.simulator.put({"id": {"S": f"after-{number}"}})
    fleet.wait_equal()
    assert daemon.stop() == 0
    assert "BUG" not in daemon.console + daemon.log()
    assert "OutOfMemoryError" not in daemon.console + daemon.log("kcl.log")
    assert "StackOverflowError" not in daemon.console + daemon.log("kcl.log")
    assert "NullPointerException" not in daemon.console + daemon.log("kcl.log")


def meet(server: FaultyServer, *operations: str, times: int) -> None:
    """Each of the answers, to so many requests."""
    for name, act in boundless.ACTS.items():
        print(name)
        fault = server.inject(act, *operations)
        fault.wait(times)
        fault.clear()


def test_pages(make_fleet: MakeFleet) -> None:
    """Those of GetRecords, of all shards at once."""
    fleet = make_fleet(shards=SHARDS, **SMALL_HEAP)
    daemon = fleet.start()
    fleet.simulator.put({"id": {"S": "before"}})
    fleet.wait_equal()
    with goes_on(fleet, daemon):
        meet(fleet.simulator, "GetRecords", times=3 * SHARDS)
        until(lambda: daemon.events("stream_unreadable"), "the outage is said")


@pytest.mark.parametrize("operation", ["DescribeStream", "GetShardIterator"])
def test_the_streams_other_calls(operation: str, make_fleet: MakeFleet) -> None:
    """Shards that end meanwhile are read to their ends, and then their children."""
    fleet = make_fleet(shards=SHARDS, **SMALL_HEAP)
    daemon = fleet.start()
    fleet.simulator.put({"id": {"S": "before"}})
    fleet.wait_equal()
    with goes_on(fleet, daemon):
        for name, act in boundless.ACTS.items():
            print(name)
            fault = fleet.simulator.inject(act, operation)
            fleet.simulator.roll_over()
            fault.wait(1)
            fault.clear()
            fleet.simulator.put({"id": {"S": name}})
            fleet.wait_equal()


def test_the_lease_table(make_fleet: MakeFleet, servers: Servers) -> None:
    """Leases may go meanwhile, and are taken again."""
    with FaultProxy(servers.source) as table:
        fleet = make_fleet(shards=SHARDS, kclEndpoint=table.endpoint, **SMALL_HEAP)
        daemon = fleet.start()
        fleet.simulator.put({"id": {"S": "before"}})
        fleet.wait_equal()
        with goes_on(fleet, daemon):
            meet(table, "UpdateItem", "GetItem", "Scan", times=SHARDS)
            until(lambda: daemon.events("checkpoints_unusable"), "the outage is said")
