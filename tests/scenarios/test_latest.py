"""``initialPositionInStream=LATEST``: what is written after the task's first start is applied, nothing before."""

from __future__ import annotations

import signal
import time

import pytest

from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

HOUR = 3600.0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("lease", [None, "LATEST"], ids=["as it was made", "as an earlier version made it"])
def test_what_is_written_while_stopped_before_a_first_checkpoint(
    how: signal.Signals, lease: str | None, make_fleet: MakeFleet
) -> None:
    """It is applied at the next start, whatever a lease without a checkpoint says."""
    fleet = make_fleet(shards=1, initialPositionInStream="LATEST")
    daemon = fleet.start()
    until(lambda: daemon.events("shard_started"), "a shard that is read")
    daemon.stop(how)
    (shard,) = fleet.simulator.open_shards()
    if lease is not None:
        fleet.set_checkpoint(shard.id, lease)
    for number in range(10):
        fleet.simulator.put({"id": {"S": f"stopped-{number}"}})
    daemon.start()
    fleet.simulator.put({"id": {"S": "after"}})
    fleet.wait_equal()
    assert daemon.stop() == 0


def test_what_was_written_before_the_first_start(make_fleet: MakeFleet) -> None:
    """It is passed over, also where the shard has ended since, and the checkpoint passes it; what follows is not."""
    ago = [HOUR]
    fleet = make_fleet(shards=2, clock=lambda: time.time() - ago[0], initialPositionInStream="LATEST")
    for number in range(20):
        fleet.simulator.put({"id": {"S": f"old-{number}"}})
    fleet.simulator.roll_over(fleet.simulator.open_shards()[0].id)
    for number in range(20):
        fleet.simulator.put({"id": {"S": f"older child-{number}"}})
    ago[0] = 0.0
    daemon = fleet.start()
    until(
        lambda: (leases := fleet.leases()) and all((lease.checkpoint or "").isdecimal() for lease in leases),
        "a checkpoint behind all that is old",
    )
    daemon.stop()
    for number in range(20):
        fleet.simulator.put({"id": {"S": f"new-{number}"}})
    daemon.start()
    until(lambda: all(fleet.replicated(f"new-{number}") for number in range(20)), "what is new")
    assert not any(fleet.replicated(f"old-{number}") for number in range(20))
    assert not any(fleet.replicated(f"older child-{number}") for number in range(20))
    assert daemon.stop() == 0


def test_what_another_program_has_begun(make_fleet: MakeFleet) -> None:
    """Its leases are taken over, and what was written while nobody ran is applied, however old it is by the start."""
    ago = [0.0]
    fleet = make_fleet(shards=1, clock=lambda: time.time() - ago[0], initialPositionInStream="LATEST")
    daemon = fleet.start()
    until(lambda: daemon.events("shard_started"), "a shard that is read")
    fleet.simulator.put({"id": {"S": "before"}})
    fleet.wait_equal()
    assert daemon.stop() == 0
    fleet.forget_task()
    ago[0] = HOUR
    for number in range(10):
        fleet.simulator.put({"id": {"S": f"stopped-{number}"}})
    ago[0] = 0.0
    daemon.start()
    fleet.simulator.put({"id": {"S": "after"}})
    fleet.wait_equal()
    assert daemon.stop() == 0
