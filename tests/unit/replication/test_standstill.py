"""A shard that can't go on: what is said of it, to whom, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processor.errors import HeldError, LeaseLostError
from processor.flow.retry_policy import HELD
from processor.replication.standstill import LOOK_SECONDS, Standstill
from processor.reporting.logs import Log
from processor.settings.daemon_files import shard_file_name
from processor.state.hold_files import DIRECTORY, HoldFiles
from processor.state.holds import Hold, Kind
from tests.unit.conftest import Event

SHARD = "shardId-1"
Events = Callable[[], list[Event]]


def held(number: int) -> HeldError:
    """A change that is refused."""
    return HeldError(f"{number} is refused", code="ValidationException", sequence_number=str(number), fault="large")


class World:
    """Time that passes while somebody waits, and whoever is told."""

    def __init__(self, directory: Path) -> None:
        self.now = 1_000_000.0
        self.lost_at = float("inf")
        self.rows: dict[Kind, Hold | None] = {}
        self.held_since = 0.0
        self.directory = directory / DIRECTORY
        self.directory.mkdir()
        self.world = directory
        self.cut_short: Any = self

    def make(self) -> Standstill:
        """Of a new child."""
        return Standstill(
            SHARD,
            files=HoldFiles(self.world, SHARD),
            rows=self,
            may_write=self.may_write,
            log=Log(),
            held=self.note,
            clock=lambda: self.now,
            monotonic=lambda: self.now,
        )

    def set(self, kind: Kind, hold: Hold | None) -> None:
        """A row."""
        self.rows[kind] = hold

    def note(self, since: float) -> None:
        """The metric."""
        self.held_since = since

    def may_write(self) -> None:
        """The lease."""
        if self.now >= self.lost_at:
            raise LeaseLostError

    def wait(self, seconds: float) -> bool:
        """As an Event that nobody sets."""
        self.now += seconds
        return False

    @property
    def marks(self) -> set[str]:
        """What the daemon sees."""
        return {path.name.replace(shard_file_name(SHARD), "shard") for path in self.directory.iterdir()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One daemon's."""
    return World(tmp_path)


def test_a_hold_is_said_at_once_then_ever_more_rarely_and_when_it_is_over(world: World, events: Events) -> None:
    """A day of tries, one a minute, is said some thirty times; log, row, mark and metric know of it until it ends."""
    standstill, began = world.make(), world.now
    for _ in range(24 * 60):
        standstill.wait(held(7), world.cut_short)
    assert world.now - began == pytest.approx(24 * 3600)
    said = [event for event in events() if event.name == "held"]
    assert 20 < len(said) < 35
    assert [event.fields["seconds"] for event in said[:4]] == [0, 300, 900, 2100]
    row = world.rows["hold"]
    assert row is not None
    assert (row.shard_id, row.since_ms, row.sequence_number) == (SHARD, began * 1000, "7")
    assert (row.seen_ms - row.since_ms) / 1000 == 24 * 3600 - HELD.longest_pause_seconds
    assert (world.marks, world.held_since) == ({"shard"}, began)
    standstill.over(held(7))
    assert (world.rows["hold"], world.marks, world.held_since) == (None, set(), 0.0)
    assert events()[-1].name == "held_over"


def test_of_several_changes_one_is_named_and_then_the_next(world: World, events: Events) -> None:
    """The shard is held until all of them are done; each that is named is named at once."""
    standstill = world.make()
    for number in (7, 8):
        standstill.wait(held(number), world.cut_short)
    standstill.over(held(8))
    standstill.wait(held(9), world.cut_short)
    standstill.over(held(7))
    assert [event.fields["sequence_number"] for event in events() if event.name == "held"] == ["7", "9"]
    assert world.rows["hold"] is not None
    standstill.over(held(9))
    assert world.rows["hold"] is None
    assert [event.name for event in events() if event.name == "held_over"] == ["held_over"]


def test_a_lost_lease_ends_the_waiting_soon(world: World) -> None:
    """So a daemon that stops, or gives the shard away, need not wait for the minute's end."""
    standstill, world.lost_at = world.make(), world.now + 5
    with pytest.raises(LeaseLostError):
        standstill.wait(held(7), world.cut_short)
    assert world.now <= world.lost_at + LOOK_SECONDS
    assert world.marks == {"shard"}


def test_a_call_that_ends_ends_the_waiting_of_the_others(world: World) -> None:
    """What is to be raised for the batch is another call's."""
    cut = threading.Event()
    cut.set()
    with pytest.raises(HeldError):
        world.make().wait(held(7), cut)


def test_the_shards_next_child_goes_on_with_the_hold(world: World, events: Events) -> None:
    """It says no more than the first would have; the hold is over when the batch with its change is applied."""
    first, began = world.make(), world.now
    first.wait(held(7), world.cut_short)
    second = world.make()
    second.begun("6")
    second.applied()
    assert world.marks == {"shard"}
    second.wait(held(7), world.cut_short)
    assert len([event for event in events() if event.name == "held"]) == 1
    assert world.held_since == began
    third = world.make()
    third.begun("9")
    third.applied()
    assert (world.rows["hold"], world.marks) == (None, set())
    assert events()[-1].name == "held_over"


def test_what_can_not_be_understood_is_read_again_at_once_and_then_each_minute(world: World, events: Events) -> None:
    """What came may have been damaged on its way; only what comes again is for a person."""
    began = world.now
    for lost_after in (5.0, HELD.longest_pause_seconds + 5, HELD.longest_pause_seconds + 5):
        standstill, world.lost_at = world.make(), world.now + lost_after
        with pytest.raises(LeaseLostError):
            standstill.read_again(held(7), world.cut_short)
        assert world.marks == {"shard", "shard.again"}
        (world.directory / f"{shard_file_name(SHARD)}.again").unlink()
    assert [event.name for event in events()] == ["read_again", "held"]
    assert world.now - began < 3 * HELD.longest_pause_seconds
    standstill = world.make()
    standstill.begun("7")
    standstill.applied()
    assert (world.rows["hold"], world.marks) == (None, set())


def test_damage_that_passes_is_no_hold(world: World, events: Events) -> None:
    """Read again and applied: one warning, and nothing for a person."""
    standstill, world.lost_at = world.make(), world.now + 5
    with pytest.raises(LeaseLostError):
        standstill.read_again(held(7), world.cut_short)
    standstill = world.make()
    standstill.begun("7")
    standstill.applied()
    assert [event.name for event in events()] == ["read_again"]
    assert world.rows == {}


def test_writes_that_fail_for_long_are_seen_from_elsewhere(world: World) -> None:
    """A row since their first failure, with the batch's end, and a mark for the daemon; both go when it is over."""
    standstill = world.make()
    standstill.begun("9")
    standstill.failing("denied", 30)
    world.now += 60
    standstill.failing("still denied", 90)
    row = world.rows["outage"]
    assert row is not None
    assert (row.sequence_number, row.reason, row.seen_ms - row.since_ms) == ("9", "still denied", 90_000)
    assert world.marks == {"shard.outage"}
    standstill.failing(None, 95)
    assert (world.rows["outage"], world.marks) == (None, set())


def test_without_a_directory_nothing_else_changes(world: World) -> None:
    """A full disk, or logs that somebody removed, must not end a shard."""
    world.directory.rmdir()
    standstill = world.make()
    standstill.failing("denied", 30)
    standstill.wait(held(7), world.cut_short)
    standstill.over(held(7))
    assert world.rows == {"outage": world.rows["outage"], "hold": None}


@pytest.mark.parametrize(
    ("seconds", "count"), [(0, 1), (299, 1), (300, 2), (900, 3), (2100, 4), (4500, 5), (8100, 6), (11700, 7)]
)
def test_reminders(seconds: float, count: int) -> None:
    """At 5, 15, 35 and 75 minutes, then every hour."""
    assert HELD.rhythm.due(seconds) == count
