"""A shard that nobody writes is read seldom, and quickly again as soon as it is written."""

from __future__ import annotations

import time

from tests.fakes.daemon.fleet import Fleet
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

_LOOK_SECONDS = 3.0


def test_reads_follow_use(make_fleet: MakeFleet) -> None:
    """At idleTimeBetweenReadsMaxMillis while quiet; at idleTimeBetweenReadsInMillis from the first record on."""
    fleet = make_fleet(shards=1, idleTimeBetweenReadsMaxMillis="1500")
    fleet.start()
    fleet.wait_even(1)
    until(lambda: 0 < _reads(fleet) <= 3, "reads that are rare")  # every 250 ms it would be 12
    fleet.simulator.put({"id": {"S": "wakes"}})
    until(lambda: fleet.replicated("wakes"), "the record that wakes the shard")
    until(lambda: _reads(fleet) >= 12, "reads that are frequent")  # every 125 ms it would be 24


def _reads(fleet: Fleet) -> int:
    before = fleet.simulator.received["GetRecords"]
    time.sleep(_LOOK_SECONDS)
    return fleet.simulator.received["GetRecords"] - before
