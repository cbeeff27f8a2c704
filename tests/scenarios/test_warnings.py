"""What must be said while a task runs, and what must end it."""

from __future__ import annotations

import time

import pytest

from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

HOUR = 3600.0


def test_shards_that_nobody_reads(make_fleet: MakeFleet) -> None:
    """A shard for which the fleet has no room is named, once, with what to do; and when it is read after all."""
    fleet = make_fleet(shards=2, maxLeasesForWorker="1")
    daemon = fleet.start()
    until(lambda: "No daemon reads 1 of the stream's shards" in daemon.console, "the warning")
    (unread,) = [lease.shard_id for lease in fleet.leases() if lease.owner is None]
    assert f"{unread} (nobody renews its lease)" in daemon.console
    fleet.start()
    until(lambda: "Every shard is read again" in daemon.console, "its end")
    assert daemon.console.count("No daemon reads") == 1


def test_a_lease_that_is_missing(make_fleet: MakeFleet) -> None:
    """A shard whose lease somebody deleted gets a new one, and is read from its oldest record."""
    fleet = make_fleet(shards=2)
    daemon = fleet.start()
    fleet.wait_even(1)
    assert daemon.stop() == 0
    forgotten = fleet.simulator.open_shards()[0].id
    fleet.forget(forgotten)
    written = [fleet.simulator.put({"id": {"S": f"key-{number}"}}) for number in range(20)]
    assert forgotten in {event.shard_id for event in written if event}
    daemon.start()
    fleet.wait_equal()


@pytest.mark.parametrize(("hours", "percent"), [(12.5, 50), (22, 90)])
def test_a_shard_far_behind(hours: float, percent: int, make_fleet: MakeFleet) -> None:
    """A record that has used up half of its 24 hours or more is worth a warning, before it is applied."""
    fleet = make_fleet(shards=1, clock=lambda: time.time() - hours * HOUR)
    daemon = fleet.start()
    for number in range(3):
        fleet.simulator.put({"id": {"S": f"key-{number}"}})
    fleet.wait_equal()
    until(lambda: f"over {percent} % of the 24 hours" in daemon.console, "the warning")
    assert daemon.console.count(" behind: over ") == 1


def test_a_stream_turned_off_and_on_again(make_fleet: MakeFleet) -> None:
    """What the old stream holds is applied; then the task ends, for changes in between are in neither."""
    fleet = make_fleet(shards=2)
    daemon = fleet.start()
    fleet.wait_even(1)
    for number in range(20):
        fleet.simulator.put({"id": {"S": f"key-{number}"}})
    old = fleet.simulator.stream_arn
    fleet.simulator.recreate_stream(shards=2)
    expected = 5
    assert daemon.wait() == expected
    fleet.wait_equal()
    assert f"Stream {old} is disabled and all that it held is applied" in daemon.console
    not_ready = 22
    daemon.start()
    assert daemon.wait() == not_ready
