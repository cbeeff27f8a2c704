"""A daemon that was frozen in the middle of a batch, and wakes when another one has long gone on with its shard."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.startup import java
from tests.fakes.machine.planted import planted_checkout
from tests.fakes.network import faults
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet

# Every write may begin, whoever has the lease.
UNCHECKED = {"processor/replication/lease_term.py": ("        while True:\n", "        while self._gone.is_set():\n")}


@pytest.mark.parametrize(
    ("mode", "checked", "left"),
    [("batch", True, "new"), ("fenced", False, "new"), ("batch", False, "old")],
    ids=["lease checked", "fenced only", "the bug, with neither"],
)
def test_an_old_image_over_a_newer_one(
    mode: str, left: str, make_fleet: MakeFleet, tmp_path: Path, *, checked: bool
) -> None:
    """The frozen daemon has the old image in hand; the other has written the new one, after which the key rests."""
    fleet = make_fleet(shards=1, writeMode=mode)
    root = java.ROOT if checked else planted_checkout(tmp_path / "planted", UNCHECKED)
    frozen = fleet.start(root=root)
    fleet.simulator.put({"id": {"S": "key"}, "image": {"S": "first"}})
    fleet.wait_equal(ignoring="_replicatedSequenceNumber")
    busy = fleet.proxy.inject(faults.error("ThrottlingException"))
    fleet.simulator.put({"id": {"S": "key"}, "image": {"S": "old"}})
    busy.wait()

    def written() -> None:
        if left == "old":  # else the daemon may end its child before the bug shows
            until(lambda: (fleet.replicated("key") or {}).get("image") == {"S": left}, "the old image")

    with frozen.suspended(written):
        busy.clear()
        fleet.start()
        fleet.simulator.put({"id": {"S": "key"}, "image": {"S": "new"}})
        fleet.wait_equal(ignoring="_replicatedSequenceNumber")
    until(lambda: not frozen.children(), "the end of the frozen daemon's child")
    found = fleet.replicated("key")
    assert found is not None
    assert found["image"]["S"] == left
