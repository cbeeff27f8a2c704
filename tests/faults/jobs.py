"""Cells that share the life of daemons, one after the other: a daemon's start takes longer than most cells."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import at_work, changing_hands, lives
from tests.faults.cells import FLEET, LIVES, RUNNING, Cell
from tests.faults.one_way import SHARDS, OneWay
from tests.faults.outcome import FAILED, NOT_MADE, Outcome
from tests.faults.scene import BrokenError, rest, wait
from tests.faults.two_way import TwoWay
from tests.faults.world import Servers, World

if TYPE_CHECKING:
    from tests.fakes.daemon.replicator import Replicator

# So that a frozen daemon's shards are taken soon; no write here takes 55 % of it.
_FLEET_FAILOVER = {"failoverTimeMillis": "3000"}
Tell = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Cells of one call, of moments that need the same daemons; none is begun once ``stop`` is set."""

    cells: Sequence[Cell]
    seed: int
    folder: Path
    stop: threading.Event

    def run(self, servers: Servers, tell: Tell) -> None:
        """Run them all, and tell each outcome."""
        moment = self.cells[0].moment
        if moment in LIVES:
            self._lives(servers, tell)
        elif moment in FLEET:
            self._shared(servers, tell, 2)
        else:
            self._shared(servers, tell, 1)

    def _shared(self, servers: Servers, tell: Tell, daemons: int) -> None:
        unmade: set[str] = set()
        with closing(_Shared(self, servers, daemons)) as shared:
            for cell in self.cells:
                if self.stop.is_set():
                    return
                if cell.moment in unmade:
                    tell(Outcome(cell=cell, word=NOT_MADE))
                    continue
                outcome = shared.run(cell)
                if outcome.word == NOT_MADE:
                    unmade.add(cell.moment)
                tell(outcome)

    def _lives(self, servers: Servers, tell: Tell) -> None:
        """A life for each fault: its start is a cell, and its stop another; every other life is its task's first."""
        stack = ExitStack()
        world: World | None = None
        by_fault = {cell.fault: [each for each in self.cells if each.fault == cell.fault] for cell in self.cells}
        for number, cells in enumerate(by_fault.values()):
            if self.stop.is_set():
                break
            if world is None or (number + self.seed) % 2:
                stack.close()
                world = stack.enter_context(_world(self, servers, cells[0]))
            if not self._life(servers, world, {cell.moment: cell for cell in cells}, tell):
                stack.close()
                world = None
        stack.close()

    def _life(self, servers: Servers, world: World, cells: dict[str, Cell], tell: Tell) -> bool:
        daemon = world.daemons[0] if world.daemons else world.make()
        begun = cells.get("start")
        if begun is not None:
            outcome = lives.start(world, daemon, begun, seed=self.seed)
            tell(outcome)
            if outcome.word == FAILED:
                lives.kill(daemon)
                if "stop" in cells:
                    tell(self._life_of_stop(servers, cells["stop"]))
                return False
        elif "stop" in cells:
            world.write()
            world.start(daemon)
            rest(world, [daemon])
        if "stop" in cells:
            outcome = lives.stop(world, daemon, cells["stop"], seed=self.seed)
            tell(outcome)
            return outcome.word != FAILED
        daemon.stop()
        return True

    def _life_of_stop(self, servers: Servers, cell: Cell) -> Outcome:
        """A stop whose start went wrong, after a good start."""
        with _world(self, servers, cell) as world:
            daemon = world.make()
            world.write()
            world.start(daemon)
            rest(world, [daemon])
            return lives.stop(world, daemon, cell, seed=self.seed)


def _world(job: Job, servers: Servers, cell: Cell, settings: Mapping[str, str] | None = None) -> World:
    kind = cell.call.kind
    if kind == "two-way":
        return TwoWay(job.folder, servers, kind)
    return OneWay(job.folder, servers, kind, settings=settings)


class _Shared:
    """Daemons at work, made anew after a cell that went wrong."""

    def __init__(self, job: Job, servers: Servers, daemons: int) -> None:
        self._job = job
        self._servers = servers
        self._count = daemons
        self._stack = ExitStack()
        self._world: World | None = None
        self._turn = itertools.count()

    def run(self, cell: Cell) -> Outcome:
        """Run a cell."""
        try:
            world, daemons = self._ready(cell)
        except BrokenError as exc:
            self.close()
            return Outcome(cell=cell, word=FAILED, wrong=(f"no rest before the fault: {exc}",))
        if self._count == 1:
            outcome = at_work.running(world, daemons[0], cell, seed=self._job.seed)
        else:
            order = daemons if next(self._turn) % 2 else daemons[::-1]
            outcome = changing_hands.hand_over(world, order, cell, seed=self._job.seed)
        if outcome.word == FAILED:
            self.close()
        return outcome

    def _ready(self, cell: Cell) -> tuple[World, list[Replicator]]:
        if self._world is None:
            self._world = self._stack.enter_context(
                _world(self._job, self._servers, cell, _FLEET_FAILOVER if self._count > 1 else None)
            )
            for _ in range(self._count):
                self._world.start(self._world.make())
        world = self._world
        world.write()
        rest(world, world.daemons)
        if self._count > 1 and not wait(
            lambda: changing_hands.owners(world) == min(self._count, SHARDS), world.rest_seconds
        ):
            raise BrokenError("the daemons do not share the shards")
        return world, world.daemons

    def close(self) -> None:
        """End the daemons."""
        self._stack.close()
        self._world = None


def jobs(cells: Iterable[Cell], *, seed: int, folder: Path, stop: threading.Event | None = None) -> Iterator[Job]:
    """The cells in jobs, those that take longest first; ``stop``: set it, and no more cells are begun."""
    grouped: dict[tuple[str, tuple[str, ...]], list[Cell]] = {}
    for cell in cells:
        group = next(each for each in (FLEET, LIVES, RUNNING) if cell.moment in each)
        grouped.setdefault((cell.call.name, group), []).append(cell)
    for _, chosen in sorted(grouped.items(), key=lambda each: -_weight(each[1])):
        yield Job(cells=chosen, seed=seed, folder=folder, stop=stop or threading.Event())


def _weight(cells: Sequence[Cell]) -> float:
    takes = {"outage": 15.0, "hand-over": 15.0, "start": 6.0, "stop": 3.0}
    return sum(takes.get(cell.moment, 4.0) for cell in cells)
