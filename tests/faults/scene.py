"""A cell: its fault in a world, from rest to rest, and what is held against it.

A cell begins and ends at rest: everything at the source is at the destination. In between its fault is met, once or for
as long as it lasts, and changes are made in every shard before and after that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network.faulty_server import Exchange
from tests.faults import checks
from tests.faults.cells import MOMENTS, Cell
from tests.faults.checks import Ear
from tests.faults.outcome import FAILED, GOES_ON, NO_PART, NOT_MADE, Outcome
from tests.faults.strike import Strike
from tests.faults.world import World

_LOOK_SECONDS = 0.1
WRITE_SECONDS = 0.4
_SAME_ENOUGH = 3
# Which of many equal calls belongs to the moment.
_OF_MOMENT = {("UpdateItem", "shard-end"): b"SHARD_END", ("UpdateItem", "hand-over"): b'"leaseOwner"'}


class BrokenError(Exception):
    """Something that must hold does not."""


class Scene:
    """One cell's fault in a world."""

    def __init__(self, world: World, cell: Cell, *, seed: int) -> None:
        self.world = world
        self.cell = cell
        self.lasting = cell.moment == "outage"
        moment = list(MOMENTS).index(cell.moment)
        self.strike = Strike(
            cell.fault,
            site=cell.call.site,
            number=seed * len(MOMENTS) + moment,
            lasting=self.lasting,
            with_records=cell.call.operation == "GetRecords" and (seed + moment) % 2 == 0,
        )

    @contextmanager
    def armed(self) -> Iterator[Strike]:
        """The fault waits for its call, and is over afterwards."""
        mark = _OF_MOMENT.get((self.cell.call.operation, self.cell.moment), b"")
        key = self.world.source_table.encode() if self.cell.call.site == "source" else b""

        def wanted(exchange: Exchange) -> bool:
            return mark in exchange.body and key in exchange.body

        fault = self.world.site(self.cell.call.site).inject(self.strike, self.cell.call.operation, when=wanted)
        try:
            yield self.strike
        finally:
            fault.clear()

    def wait_met(self, act: Callable[[], None], seconds: float, *, daemon: Replicator | None = None) -> None:
        """Act now and then until the fault is met, or the time is over, or it never will be."""
        deadline = time.monotonic() + seconds
        while not self.strike.met and time.monotonic() < deadline and self.strike.same < _SAME_ENOUGH:
            if daemon is not None and daemon.process.poll() is not None:
                return
            act()
            wait(lambda: self.strike.met > 0, WRITE_SECONDS)

    def unmet(self) -> str:
        """Why it was not met."""
        return NO_PART if self.strike.same else NOT_MADE


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Until it is true, or the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def rest(world: World, daemons: list[Replicator]) -> None:
    """Until both tables are equal.

    :raises BrokenError: they are not in time, or a daemon has ended
    """

    def ended() -> bool:
        return any(daemon.process.poll() is not None for daemon in daemons)

    if not wait(lambda: ended() or not checks.unequal(world), world.rest_seconds) or checks.unequal(world):
        if ended():
            statuses = [daemon.process.poll() for daemon in daemons if daemon.process.poll() is not None]
            raise BrokenError(f"a daemon ended with {statuses}")
        raise BrokenError(f"not equal after {world.rest_seconds:.0f} s: {'; '.join(checks.unequal(world))}")


def judged(scene: Scene, ears: list[Ear], before: checks.Rows, act: Callable[[], str]) -> Outcome:
    """Run a cell and hold it to what must hold.

    :param act: brings the moment about; returns the outcome's word, or raises
    """
    began = time.monotonic()
    wrong: list[str] = []
    word = FAILED
    try:
        word = act()
    except (BrokenError, AssertionError) as exc:
        wrong.append(str(exc))
    wrong += checks.leases(scene.world, before)
    said = tuple(dict.fromkeys(event for ear in ears for event in ear.events("WARNING", "ERROR")))
    if word == GOES_ON:
        true = {"set_aside"} if scene.world.kind == "letters" else ()  # its changes are refused for good
        wrong += [each for ear in ears for each in ear.complaints(lasting=scene.lasting, true=true)]
    return Outcome(
        cell=scene.cell,
        word=FAILED if wrong else word,
        said=said,
        seconds=time.monotonic() - began,
        wrong=tuple(wrong),
        logs=str(scene.world.folder) if wrong else "",
    )


def went_on(scene: Scene, daemon: Replicator) -> str:
    """With a change more in each shard, for one that is no longer read shows only then."""
    rest(scene.world, [daemon])
    scene.world.write()
    rest(scene.world, [daemon])
    strike = scene.strike
    if not wait(lambda: scene.lasting or not strike.waiting or strike.asked_since > 0, scene.world.rest_seconds):
        raise BrokenError(f"the call hangs, and was not made again in {scene.world.rest_seconds:.0f} s")
    return GOES_ON
