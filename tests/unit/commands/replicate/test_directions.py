"""An uplink begins only where no write without a marker can be taken for an application's."""

from __future__ import annotations

import pytest
from msgspec import structs

from processor.commands.replicate import directions
from processor.commands.replicate.directions import UplinkStart
from processor.startup.facts import Facts
from processor.state import task_row
from processor.state.leases import Lease
from processor.state.task_row import Task
from tests.fakes.task.tasks import task
from tests.fakes.task.two_way import two_way

MIRROR, UPLINK = two_way(taskName="t").in_directions
DIGEST = directions.writing_digest(MIRROR, "")
ROW = task_row.of(MIRROR, "arn")
LEASE = Lease(shard_id="s", owner=None, counter=1, checkpoint="5")


def _since(before: Task | None, *, begun: bool = True, now_ms: int = 100_000) -> str:
    return directions.mirror_since(MIRROR, before, digest=DIGEST, now_ms=now_ms, begun=begun)


def test_daemons_of_one_direction_write_in_another_way() -> None:
    """So a start in both directions waits for their end, and theirs for the others'."""
    assert directions.writing_digest(task(), "view") == "view"
    assert DIGEST
    assert directions.writing_digest(two_way(markerAttribute="m"), "") != DIGEST


def test_the_moment_is_that_of_the_first_start_in_both_directions() -> None:
    """It is kept, and is some seconds later where daemons of one direction have written until then."""
    assert _since(None, begun=False) == "100000"
    assert int(_since(ROW)) > 100_000
    marked = structs.replace(ROW, writing_digest=DIGEST, two_way_since_ms="7")
    assert _since(marked) == "7"
    assert _since(structs.replace(marked, writing_digest="")) != "7"


def test_a_task_of_one_direction_has_none() -> None:
    """So it is another moment when it is made two-way again."""
    before = structs.replace(ROW, writing_digest=DIGEST, two_way_since_ms="7")
    assert directions.mirror_since(task(), before, digest="", now_ms=1, begun=True) == ""


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> object:
    """What an uplink waits for, by its mirror's row and its own, and with leases or without."""

    def run(mirror: Task | None, own: Task | None = None, *, leases: bool = False, now_ms: int = 100) -> list[str]:
        monkeypatch.setattr(task_row, "read", lambda _, table: mirror if table.endswith("ationt-Task") else None)
        facts = Facts(task=own, leases=[LEASE] if leases else None)
        start = UplinkStart(UPLINK, _Clients(), facts, now_ms=now_ms)  # type: ignore[arg-type]  # nobody calls them
        return [f"{finding.id} {finding.cause}" for finding in start.findings]

    return run


class _Clients:
    def checkpoints(self) -> None:
        """The checkpoint table's."""


def test_it_waits_for_the_mirror(found: object) -> None:
    """Which has no row yet, or one of one direction, or has begun a moment ago; it passes by itself."""
    assert callable(found)
    for mirror, now_ms in ((None, 100), (ROW, 100), (structs.replace(ROW, two_way_since_ms="7"), 6)):
        assert found(mirror, now_ms=now_ms) == ["mirror-not-begun pending"]
    assert found(structs.replace(ROW, two_way_since_ms="7"), now_ms=7) == []


def test_checkpoints_of_another_time_are_refused(found: object) -> None:
    """Between them and now are writes without markers. Without checkpoints it begins anew."""
    assert callable(found)
    mirror, own = structs.replace(ROW, two_way_since_ms="9"), structs.replace(ROW, two_way_since_ms="7")
    assert found(mirror, own, leases=True) == ["uplink-of-before answer"]
    assert found(mirror, own) == []
    assert found(mirror, mirror, leases=True) == []
