"""The checker of both sides, on histories made by hand: each breach is named, and what the docs allow is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.chaos.two_way.alignment import align
from tests.chaos.two_way.application import Wrote
from tests.chaos.two_way.checker import Book, Checker, Entry, Verdict
from tests.chaos.two_way.images import MARKER, Image, image
from tests.chaos.two_way.plan import Policy
from tests.chaos.two_way.sides import Record, Replicated

KEY = "k"


def item(value: str | None, *, mark: str = "", **more: str) -> Image | None:
    """An item with that value; None for none."""
    if value is None:
        return None
    marker: Any = {MARKER: {"M": {"s": {"S": mark}}}} if mark else {}
    return image(
        {"id": {"S": KEY}, "value": {"S": value}, **{name: {"S": text} for name, text in more.items()}, **marker}
    )


class World:
    """Both sides of one key, to which a test adds what happens, in the order in which it does."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {"hub": [], "spoke": []}
        self.wrote: dict[str, list[Wrote]] = {"hub": [], "spoke": []}
        self.replicated: dict[str, list[Replicated]] = {"hub": [], "spoke": []}
        self.entries: list[Entry] = []
        self._now = 0.0

    def application(self, side: str, new: Image | None, *, recorded: bool = True) -> int:
        """A write of the side's own; returns its record's number."""
        old = self.at(side)
        self._now += 1
        wrote = self.wrote[side]
        wrote.append(Wrote(len(wrote), "put", KEY, old, new, self._now, self._now))
        return self._record(side, old, new) if recorded else 0

    def replicator(self, side: str, new: Image | None, *, noted: bool = True) -> int:
        """A write of the replicator's at that side."""
        old = self.at(side)
        self._now += 1
        if noted:
            self.replicated[side].append(
                Replicated("DeleteItem" if new is None else "PutItem", KEY, new, None, self._now)
            )
        return self._record(side, old, new)

    def conflict(self, sequence: int, outcome: str, hub: Image | None) -> None:
        """The entry about that record."""
        record = next(each for each in self.records["spoke"] if each.sequence == sequence)
        self.entries.append(Entry(sequence, KEY, outcome, record.new, record.old, hub))

    def at(self, side: str) -> Image | None:
        """What is there now."""
        return self.records[side][-1].new if self.records[side] else None

    def verdict(self, policy: Policy = "hubWins") -> Verdict:
        """The checker's."""
        hub, spoke = (
            Book(
                items={} if self.at(side) is None else {KEY: self.at(side)},  # type: ignore[dict-item]
                records=self.records[side],
                wrote=self.wrote[side],
                replicated=self.replicated[side],
            )
            for side in ("hub", "spoke")
        )
        return Checker(hub, spoke, self.entries, policy=policy).run()

    def _record(self, side: str, old: Image | None, new: Image | None) -> int:
        sequence = int(self._now)
        if old != new:
            self.records[side].append(Record(sequence, KEY, old, new))
        return sequence


def mirrored() -> World:
    """The hub's first item is at the spoke."""
    world = World()
    world.application("hub", item("a"))
    world.replicator("spoke", item("a", mark="1"))
    return world


def there_and_back(world: World, value: str) -> int:
    """A write at the spoke that goes up and comes back; returns its record's number."""
    number = world.application("spoke", item(value))
    world.replicator("hub", item(value))
    world.replicator("spoke", item(value, mark=value))
    return number


def _found(world: World, policy: Policy = "hubWins") -> Sequence[str]:
    return world.verdict(policy).violations


def test_a_write_at_the_spoke_goes_up_and_comes_back() -> None:
    """Nothing is wrong with that, and it costs three records."""
    world = mirrored()
    there_and_back(world, "b")
    assert _found(world) == []
    assert world.verdict().records_per_write == 2.5


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_conflicts_loser_has_its_entry(*, is_kept: bool) -> None:
    """Or it is lost."""
    world = mirrored()
    world.application("hub", item("h"))
    number = world.application("spoke", item("s"))
    if is_kept:
        world.conflict(number, "hubWins", item("h"))
    world.replicator("spoke", item("h", mark="2"))
    found = _found(world)
    assert bool(found) != is_kept
    assert all("lost: key k: write 0 at the spoke" in each for each in found)


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_last_arrival_is_written_over_what_the_hub_had(*, is_kept: bool) -> None:
    """And an entry says over what."""
    world = mirrored()
    world.application("hub", item("h"))
    number = world.application("spoke", item("s"))
    if is_kept:
        world.conflict(number, "lastArrival", item("h"))
    world.replicator("hub", item("s"))
    world.replicator("spoke", item("h", mark="2"))
    world.replicator("spoke", item("s", mark="3"))
    found = _found(world, "lastArrival")
    assert bool(found) != is_kept
    assert all("hub: key k" in each and "made by nobody who may have made it" in each for each in found)


def test_what_follows_may_go_up_as_one() -> None:
    """The states in between are the spoke's alone; what the mirror has written over is not among them."""
    world = mirrored()
    world.application("spoke", item("b"))
    world.application("spoke", item("c"))
    world.replicator("hub", item("c"))
    world.replicator("spoke", item("c", mark="2"))
    assert _found(world) == []
    world = mirrored()
    world.application("hub", item("h"))
    world.application("spoke", item("b"))
    world.replicator("spoke", item("h", mark="2"))
    world.application("spoke", item("c"))
    world.replicator("hub", item("c"))
    world.replicator("spoke", item("c", mark="3"))
    (found,) = _found(world)
    assert "lost: key k: write 0 at the spoke" in found


def test_both_ends_are_equal_but_for_the_marker() -> None:
    """An item that is another one, or at one side alone, is said; and a marker at the hub, at any time."""
    world = mirrored()
    world.application("hub", item("b"))
    assert any(each.startswith("end: key k is value b at the hub, value a") for each in _found(world))
    world = mirrored()
    world.application("spoke", item("a", mark="x", n="1"))
    world.replicator("hub", item("a", mark="x", n="1"))
    assert any(each.startswith("marker: key k") for each in _found(world))


def test_what_nobody_wrote_is_said() -> None:
    """At the spoke, at the hub; and what an application was told is written, and is not."""
    world = mirrored()
    world.replicator("spoke", item("b", mark="9"), noted=False)
    assert any(each.startswith("spoke: key k: record") for each in _found(world))
    world = mirrored()
    world.replicator("hub", None)
    world.replicator("spoke", None)
    assert any(each.startswith("hub: key k: record") for each in _found(world))
    world = mirrored()
    world.application("hub", item("b"), recorded=False)
    assert any("write 1 (value b), which was acknowledged, left no record" in each for each in _found(world))


def test_an_entry_is_about_what_was_written() -> None:
    """By an application at the spoke, with its images, about an item that the hub had, with an outcome that may be."""
    world = mirrored()
    number = there_and_back(world, "b")
    world.conflict(number + 2, "hubWins", item("a"))
    assert any("no application at the spoke has written that" in each for each in _found(world))
    world.entries = [Entry(number, KEY, "hubWins", item("other"), item("a", mark="1"), item("never"))]
    assert any("its images are value a" in each for each in _found(world))
    assert any("the hub never had value never" in each for each in _found(world))
    assert any("no outcome of conflicts=lastArrival" in each for each in _found(world, "lastArrival"))


def test_what_goes_on_for_ever_is_said() -> None:
    """More than three records for each write."""
    world = mirrored()
    for number in range(10):
        world.replicator("spoke", item("a", mark=f"again {number}"))
    assert any(each.startswith("echo: 12 records of 1 writes") for each in _found(world))


def test_what_the_docs_allow_is_counted() -> None:
    """A replay's entry; a replay that writes again; a delete of what is being deleted; an addition that went unsaid."""
    world = mirrored()
    number = there_and_back(world, "b")
    there_and_back(world, "c")
    world.conflict(number, "hubWins", item("c"))
    verdict = world.verdict()
    assert (verdict.violations, verdict.spurious) == ([], 1)

    world = mirrored()
    there_and_back(world, "b")
    world.application("hub", item("a"))
    world.replicator("hub", item("b"))  # once more
    world.replicator("spoke", item("a", mark="3"))
    world.replicator("spoke", item("b", mark="4"))
    verdict = world.verdict()
    assert (verdict.violations, verdict.again) == ([], 1)

    world = mirrored()
    world.application("hub", None)
    world.application("hub", item("h"))
    marked = item("a", mark="2")
    assert marked is not None
    world.replicated["spoke"].append(Replicated("UpdateItem", KEY, None, marked.marker, 0.0))
    world.replicator("spoke", marked, noted=False)
    world.application("spoke", None)
    world.replicator("spoke", item("h", mark="3"))
    assert _found(world) == []

    world = mirrored()
    world.application("hub", item("a", extra="1"))
    world.application("spoke", item("b"))
    world.replicator("hub", item("b"))
    world.replicator("spoke", item("b", mark="3"))
    verdict = world.verdict()
    assert (verdict.violations, verdict.unsaid) == ([], 1)


def test_a_record_that_either_may_have_made() -> None:
    """It is taken for whose it must be for the others to be explained."""
    a, b = item("a"), item("b")
    records = [Record(1, KEY, None, a), Record(2, KEY, a, b), Record(3, KEY, b, a), Record(4, KEY, a, b)]
    wrote = [Wrote(0, "put", KEY, a, b, 0, 0)]
    whose, problem = align(records, wrote, lambda record: record.sequence != 4)
    assert problem == ""
    assert [each is not None for each in whose] == [False, False, False, True]
