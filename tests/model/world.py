"""Hub and spokes at one moment, and how much may still happen.

One key, for keys don't know of each other. Time is the number of records in a spoke's stream: a record's time is that
of the write that made it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from processor.replication.two_way.marker import Markers
from processor.replication.two_way.mirror import mirror_delete, mirror_put
from processor.replication.two_way.origin import is_replicators
from processor.replication.two_way.requests import Steps
from processor.replication.two_way.restore import restore
from processor.replication.two_way.spoke_write import SpokeWrite
from processor.replication.two_way.uplink import Policy, uplink
from tests.model import memory
from tests.model.memory import NAME, Answer, Item

# More records than any run without an endless echo makes.
MOST_RECORDS = 40
FOREVER = 10**6


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What is checked; tests replace parts of it by worse ones."""

    mirror_put: Callable[..., Steps[bool]] = mirror_put
    mirror_delete: Callable[..., Steps[bool]] = mirror_delete
    uplink: Callable[..., Steps[str]] = uplink
    restore: Callable[..., Steps[str]] = restore
    is_replicators: Callable[..., bool] = is_replicators
    follows: Callable[[SpokeWrite, SpokeWrite], bool] = SpokeWrite.follows
    markers: Markers = field(default_factory=lambda: MARKERS)
    mirrors_echoes: bool = True


MARKERS = Markers(NAME)


@dataclass(frozen=True, kw_only=True)
class Play:
    """How much may happen, and what.

    :param returning: applications write the same two values again and again
    :param stale: applications write with markers that were at the spoke before
    :param put_back: applications put items back that were at the spoke before, marker and all
    :param foreign: applications copy other keys' items here, and use the attribute for something else
    :param growing: applications at the hub add attributes, which no condition can see
    :param coalesces: of records in one batch, the mirror may apply the last one only
    :param chains: of records in one batch, the uplink may apply those that follow each other as one
    :param window: how many records old a marker may be that is taken for just written
    :param filled: both tables have an item already, without a marker
    """

    hub: int
    spoke: int
    crashes: int = 0
    restores: int = 0
    spokes: int = 1
    policy: Policy = "hubWins"
    returning: bool = False
    stale: bool = False
    put_back: bool = False
    foreign: bool = False
    growing: bool = False
    coalesces: bool = False
    chains: bool = False
    window: int = FOREVER
    filled: bool = False
    protocol: Protocol = field(default_factory=Protocol)


class Run(NamedTuple):
    """What a part of the replicator has in hand: the times of its requests, and what each has heard."""

    times: tuple[int, ...] = ()
    answers: tuple[Answer, ...] = ()


class Spoke(NamedTuple):
    """A spoke's table and stream, and the tasks between it and the hub. A position is a number of records."""

    item: Item = None
    stream: tuple[tuple[Item, Item], ...] = ()
    mirrored: int = 0
    mirror_checkpoint: int = 0
    mirror_run: Run = Run()
    uplinked: int = 0
    uplink_checkpoint: int = 0
    uplink_run: Run = Run()
    # Where what the uplink has in hand ends, if that has begun.
    uplink_end: int = 0
    restore_run: Run | None = None


class Budget(NamedTuple):
    """What may still happen."""

    hub: int
    spoke: int
    crashes: int
    restores: int
    next_value: int = 1


class World(NamedTuple):
    """All there is. A record of the hub's stream is (old, new, whose write); ``kept`` are conflicts' images."""

    budget: Budget
    spokes: tuple[Spoke, ...]
    hub: Item = None
    hub_stream: tuple[tuple[Item, Item, str], ...] = ()
    kept: frozenset[tuple[Item, Item, str]] = frozenset()
    # Values of applications at spokes that must be found in the hub's stream or among conflicts.
    owed: frozenset[Item] = frozenset()
    # Whether an application has deleted the item at a spoke.
    has_deleted: bool = False


def first(play: Play) -> World:
    """Before anything has happened."""
    item = memory.value_item(0) if play.filled else None
    return World(Budget(play.hub, play.spoke, play.crashes, play.restores), (Spoke(item=item),) * play.spokes, hub=item)


def spent(world: World, **less: int) -> World:
    """After one of what may still happen."""
    budget = world.budget
    return world._replace(budget=budget._replace(**{name: getattr(budget, name) - by for name, by in less.items()}))


def with_hub(world: World, item: Item, *, whose: str) -> World:
    """After a write at the hub, by an application ("app") or "uplink 0", "uplink 1".

    A write that changes nothing leaves no record.
    """
    if world.hub == item:
        return world
    return world._replace(hub=item, hub_stream=(*world.hub_stream, (world.hub, item, whose)))


def written(spoke: Spoke, item: Item) -> Spoke:
    """After a write at a spoke."""
    if spoke.item == item:
        return spoke
    return spoke._replace(item=item, stream=(*spoke.stream, (spoke.item, item)))


def with_spoke(world: World, number: int, spoke: Spoke) -> World:
    """With another state of one spoke."""
    spokes = world.spokes
    return world._replace(spokes=(*spokes[:number], spoke, *spokes[number + 1 :]))
