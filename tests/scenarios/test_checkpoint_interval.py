"""``checkpointIntervalMillis``: what is stored when, and what is left to be replayed."""

from __future__ import annotations

from collections import Counter

from processor.state.leases import SHARD_END
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.network import faults
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

# Longer than any test.
NEVER = "300000"


def _put(fleet: Fleet, key: str) -> str:
    """Write an item, and wait for it; returns its sequence number."""
    event = fleet.simulator.put({"id": {"S": key}})
    assert event is not None
    fleet.wait_equal()
    return event.sequence_number


def _checkpoints(fleet: Fleet) -> set[str | None]:
    return {lease.checkpoint for lease in fleet.leases()}


def _times_written(fleet: Fleet) -> Counter[str]:
    """How often each key was, but for calls whose answer a busy machine has brought too late."""
    return Counter(write.key["id"]["S"] for write in fleet.proxy.writes if write.heard)


def test_a_shard_that_goes_quiet_stores_its_last_batch(make_fleet: MakeFleet) -> None:
    """Though no record comes any more, and the stream can't even be read."""
    fleet = make_fleet(shards=1, checkpointIntervalMillis="2000")
    daemon = fleet.start()
    for number in range(3):
        last = _put(fleet, f"key-{number}")
    until(lambda: _checkpoints(fleet) == {last}, "the last batch's checkpoint")
    last = _put(fleet, "before the silence")
    fleet.simulator.inject(faults.error("InternalServerError"), "GetRecords")
    until(lambda: _checkpoints(fleet) == {last}, "its checkpoint, while the stream is away")
    assert daemon.stop() == 0


def test_a_crash_replays_what_was_put_off_and_a_clean_stop_nothing(make_fleet: MakeFleet) -> None:
    """The first batch of a process is stored at once; the second, within the interval, only by a clean stop."""
    fleet = make_fleet(shards=1, checkpointIntervalMillis=NEVER)
    daemon = fleet.start()
    first = _put(fleet, "stored at once")
    until(lambda: _checkpoints(fleet) == {first}, "the first batch's checkpoint")
    _put(fleet, "put off")
    assert _checkpoints(fleet) == {first}
    daemon.process.kill()
    daemon.wait()
    daemon.start()
    until(lambda: _times_written(fleet)["put off"] == 2, "the replay")
    last = _put(fleet, "put off until the stop")
    assert _checkpoints(fleet) != {last}
    assert daemon.stop() == 0
    assert _checkpoints(fleet) == {last}
    daemon.start()
    _put(fleet, "after the stop")
    written = _times_written(fleet)
    assert (written["stored at once"], written["put off until the stop"]) == (1, 1)
    assert daemon.stop() == 0


def test_a_shards_end_waits_for_no_interval(make_fleet: MakeFleet) -> None:
    """Its children begin as soon as they would without one, and a key's changes keep their order."""
    fleet = make_fleet(shards=1, checkpointIntervalMillis=NEVER)
    daemon = fleet.start()
    _put(fleet, "key")
    (parent,) = fleet.leases()
    fleet.simulator.put({"id": {"S": "key"}, "image": {"S": "put off"}})
    fleet.wait_equal()
    fleet.simulator.split()
    fleet.simulator.put({"id": {"S": "key"}, "image": {"S": "of a child"}})
    fleet.wait_equal()
    lease = fleet.lease(parent.shard_id)
    assert lease is None or lease.checkpoint == SHARD_END
    assert daemon.stop() == 0
