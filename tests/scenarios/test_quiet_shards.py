"""What a daemon does while nothing is written: little, and as much as ever as soon as there is something to do."""

from __future__ import annotations

import time
from pathlib import Path

from tests.fakes.daemon.fleet import Fleet
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import FaultyServer
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet, Servers

_LOOK_SECONDS = 3.0


def test_reads_follow_use(make_fleet: MakeFleet) -> None:
    """At idleTimeBetweenReadsMaxMillis while quiet; at idleTimeBetweenReadsInMillis from the first record on."""
    fleet = make_fleet(shards=1, idleTimeBetweenReadsMaxMillis="1500")
    fleet.start()
    fleet.wait_even(1)
    until(lambda: 0 < _made(fleet.simulator, "GetRecords") <= 3, "reads that are rare")  # every 250 ms it would be 12
    fleet.simulator.put({"id": {"S": "wakes"}})
    until(lambda: fleet.replicated("wakes"), "the record that wakes the shard")
    until(lambda: _made(fleet.simulator, "GetRecords") >= 12, "reads that are frequent")  # every 125 ms it would be 24


def test_leases_are_looked_at_seldom_where_there_is_none_to_take(servers: Servers, tmp_path: Path) -> None:
    """Until one comes: a shard's child is taken and written, and a second daemon gets its share, as soon as ever."""
    with (
        FaultProxy(servers.source) as checkpoints,
        Fleet(tmp_path, checkpoints=checkpoints.endpoint, destination=servers.destination, shards=2) as fleet,
    ):
        fleet.start()
        fleet.wait_even(1)
        until(lambda: _made(checkpoints, "Scan") <= 1, "scans that are rare")  # every second it would be 3
        fleet.simulator.roll_over()
        for number in range(20):
            fleet.simulator.put({"id": {"S": f"key-{number}"}})
        fleet.wait_equal()
        fleet.start()
        fleet.wait_even(2)
        until(lambda: _made(checkpoints, "Scan") >= 4, "scans that are frequent")  # of each of two every second: 6


def _made(server: FaultyServer, operation: str) -> int:
    """Calls in a few seconds from now."""
    before = server.received[operation]
    time.sleep(_LOOK_SECONDS)
    return server.received[operation] - before
