"""Children are forked from one process of the daemon's, and do without it where they must."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from processor.settings.daemon_files import NURSERY_DIRECTORY
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.machine.ended import has_ended
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet


def put(fleet: Fleet, prefix: str) -> None:
    """Write ten items at the source."""
    for number in range(10):
        fleet.simulator.put({"id": {"S": f"{prefix}-{number}"}})


def test_children_are_forked_and_live_without_it(make_fleet: MakeFleet) -> None:
    """It is killed: its children go on, and the next shard has one of another, without a word."""
    fleet = make_fleet(shards=2)
    daemon = fleet.start()
    put(fleet, "first")
    fleet.wait_equal()
    children = daemon.nursery().children()
    assert len(children) == len(daemon.children()) == 2
    nursery = daemon.kill_nursery()
    until(lambda: has_ended(nursery), "its end")
    assert len(daemon.children()) == 2
    put(fleet, "without it")
    fleet.wait_equal()
    assert not any(has_ended(child) for child in children)

    fleet.simulator.roll_over(fleet.simulator.open_shards()[0].id)
    put(fleet, "of another")
    fleet.wait_equal()
    until(lambda: daemon.nursery().children(), "a child of another")
    assert "children_not_forked" not in daemon.console
    assert daemon.stop() == 0
    psutil.wait_procs(children, timeout=0)
    assert [child for child in children if not has_ended(child)] == []


def test_children_that_can_not_be_forked_are_programs_of_their_own(make_fleet: MakeFleet) -> None:
    """Whatever it is that forks none: that is said, and nothing else is different."""
    fleet = make_fleet(shards=1)
    daemon = fleet.start()
    put(fleet, "first")
    fleet.wait_equal()
    (folder,) = Path(daemon.log_directory).glob(f"*/{NURSERY_DIRECTORY}")
    shutil.rmtree(folder)  # no pipe can be made there
    shard = fleet.simulator.open_shards()[0].id
    fleet.simulator.roll_over(shard)
    put(fleet, "alone")
    fleet.wait_equal()
    alone = until(lambda: [each for each in daemon.children() if "processor.replication.child" in each.cmdline()], "it")
    assert len(alone) == 1
    until(lambda: "WARNING children_not_forked" in daemon.console, "the word for it")
    assert "No such file or directory" in daemon.console
    assert daemon.stop() == 0
