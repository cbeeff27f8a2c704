"""kcl.log of daemons with which nothing is wrong: an ERROR in it means that somebody must act."""

from __future__ import annotations

import time

from tests.fakes.daemon.fleet import Beats
from tests.scenarios.conftest import MakeFleet


def test_no_error_where_nothing_is_wrong(make_fleet: MakeFleet) -> None:
    """Start, work, the end of shards, a shard that changes hands and waits for that, and stops leave no ERROR line."""
    fleet = make_fleet(shards=3)
    with Beats(fleet) as beats:
        fleet.start()
        beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        fleet.simulator.roll_over()
        fleet.simulator.split()
        beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        fleet.start()
        fleet.wait_even(2)
        beats.wait_replicated(beats.keys.values(), since=time.monotonic())
    fleet.wait_equal()
    assert {0} == {daemon.stop() for daemon in fleet.daemons}
    for daemon in fleet.daemons:
        for name in ("kcl.log", "replication.log"):
            lines = daemon.log(name).splitlines()
            assert lines
            assert [line for line in lines if " ERROR " in line] == []
