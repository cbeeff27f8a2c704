"""How each moment is brought about, and what is waited for in it.

A cell begins and ends at rest: everything at the source is at the destination. In between its fault is met, once or for
as long as it lasts, and changes are made in every shard before and after that.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.fakes.faulty_server import Exchange
from tests.fakes.replicator import Replicator
from tests.faults import checks
from tests.faults.cells import FAULTS, MOMENTS, Cell
from tests.faults.checks import Ear
from tests.faults.outcome import ENDS_SAID, FAILED, GOES_ON, NO_PART, NOT_MADE, Outcome
from tests.faults.strike import Strike
from tests.faults.world import World, freeze, thaw

# Longer than any pause between two tries, on a machine that has more to do.
REST_SECONDS = 120.0
# As often as the rarest call of a daemon at work is made, and some more.
WINDOW_SECONDS = 26.0
SHORT_WINDOW_SECONDS = 8.0
OUTAGE_SECONDS = 12.0
# A fault that keeps changes from their destination for so long, or that the leases live by, must be said by then.
STUCK_SECONDS = 8.0
SAID_SECONDS = 11.0
STOP_SECONDS = 75.0
_LOOK_SECONDS = 0.1
_WRITE_SECONDS = 0.4
_SAME_ENOUGH = 3
_LIVED_BY = {"leases.UpdateItem", "leases.Scan"}
_FAILING = {"not-found", "denied", "throttled", "server-error", "cut", "expired"}
# Which of many equal calls belongs to the moment.
_OF_MOMENT = {("UpdateItem", "shard-end"): b"SHARD_END", ("UpdateItem", "hand-over"): b'"leaseOwner"'}
# A person may have to put these right, and a start can't tell: it says so and ends.
_MAY_END = {"denied", "not-found"}
_MUST_BE_PUT_RIGHT = 22


class BrokenError(Exception):
    """Something that must hold does not."""


class Scene:
    """One cell's fault in a world."""

    def __init__(self, world: World, cell: Cell, *, seed: int) -> None:
        self.world = world
        self.cell = cell
        moment = list(MOMENTS).index(cell.moment)
        self.strike = Strike(
            cell.fault,
            site=cell.call.site,
            number=seed * len(MOMENTS) + moment,
            lasting=cell.moment == "outage",
            with_records=cell.call.operation == "GetRecords" and (seed + moment) % 2 == 0,
        )

    @contextmanager
    def armed(self) -> Iterator[Strike]:
        """The fault waits for its call, and is over afterwards."""
        mark = _OF_MOMENT.get((self.cell.call.operation, self.cell.moment), b"")
        key = self.world.simulator.table.encode() if self.cell.call.site == "source" else b""

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
            wait(lambda: self.strike.met > 0, _WRITE_SECONDS)

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


def rest(world: World, daemons: list[Replicator], *, seconds: float = REST_SECONDS) -> None:
    """Until both tables are equal.

    :raises BrokenError: they are not in time, or a daemon has ended
    """

    def ended() -> bool:
        return any(daemon.process.poll() is not None for daemon in daemons)

    if not wait(lambda: ended() or not checks.unequal(world), seconds) or checks.unequal(world):
        if ended():
            statuses = [daemon.process.poll() for daemon in daemons if daemon.process.poll() is not None]
            raise BrokenError(f"a daemon ended with {statuses}")
        raise BrokenError(f"not equal after {seconds:.0f} s: {'; '.join(checks.unequal(world))}")


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
        wrong += [each for ear in ears for each in ear.complaints()]
    return Outcome(
        cell=scene.cell,
        word=FAILED if wrong else word,
        said=said,
        seconds=time.monotonic() - began,
        wrong=tuple(wrong),
        logs=str(scene.world.folder) if wrong else "",
    )


# --- One daemon at work ----------------------------------------------------------------------------------------------


def running(world: World, daemon: Replicator, cell: Cell, *, seed: int) -> Outcome:
    """A cell of the moments ``cells.RUNNING``, in a world at rest."""
    scene = Scene(world, cell, seed=seed)
    ear = Ear(daemon)
    act = {"steady": _steady, "backlog": _backlog, "shard-end": _shard_end, "outage": _outage}[cell.moment]
    return judged(scene, [ear], world.lease_rows(), lambda: act(scene, daemon, ear))


def _steady(scene: Scene, daemon: Replicator, _: Ear) -> str:
    with scene.armed() as strike:
        scene.wait_met(scene.world.write, WINDOW_SECONDS, daemon=daemon)
        return _went_on(scene, daemon) if strike.met else scene.unmet()


def _went_on(scene: Scene, daemon: Replicator) -> str:
    """With a change more in each shard, for one that is no longer read shows only then."""
    rest(scene.world, [daemon])
    scene.world.write()
    rest(scene.world, [daemon])
    return GOES_ON


def _backlog(scene: Scene, daemon: Replicator, _: Ear) -> str:
    world = scene.world

    def more() -> None:
        if not checks.unequal(world):
            world.write_many()

    with scene.armed() as strike:
        scene.wait_met(more, WINDOW_SECONDS, daemon=daemon)
        return _went_on(scene, daemon) if strike.met else scene.unmet()


def _shard_end(scene: Scene, daemon: Replicator, _: Ear) -> str:
    world = scene.world
    with scene.armed() as strike:
        world.write()
        child = world.simulator.roll_over()
        scene.wait_met(world.write, SHORT_WINDOW_SECONDS, daemon=daemon)
        rest(world, [daemon])
        if not wait(lambda: _is_through(world, str(child.parent), child.id), REST_SECONDS):
            raise BrokenError(f"{child.parent} is not finished, or its child not begun, after {REST_SECONDS:.0f} s")
        return _went_on(scene, daemon) if strike.met else scene.unmet()


def _is_through(world: World, parent: str, child: str) -> bool:
    rows = world.lease_rows()
    return (
        parent in rows
        and checks.checkpoint(rows[parent]) == checks.SHARD_END
        and "leaseOwner" in rows.get(child, {})
        and checks.checkpoint(rows[child]).isdigit()
    )


def _outage(scene: Scene, daemon: Replicator, ear: Ear) -> str:
    world = scene.world
    with scene.armed() as strike:
        scene.wait_met(world.write, WINDOW_SECONDS, daemon=daemon)
        if not strike.met:
            return scene.unmet()
        over = time.monotonic() + OUTAGE_SECONDS
        arrived = time.monotonic()
        stuck = 0.0
        while time.monotonic() < over and daemon.process.poll() is None:
            if not checks.unequal(world):
                arrived = time.monotonic()
                world.write()
            stuck = max(stuck, time.monotonic() - arrived)
            time.sleep(_WRITE_SECONDS)
        said = ear.events("NOTICE", "WARNING", "ERROR")
    rest(world, [daemon])
    lived_by = scene.cell.call.name in _LIVED_BY and scene.cell.fault in _FAILING
    if not said and (stuck > STUCK_SECONDS or lived_by):
        raise BrokenError(f"nothing was said of it in {OUTAGE_SECONDS:.0f} s")
    return _went_on(scene, daemon)


# --- A shard that changes hands --------------------------------------------------------------------------------------


def hand_over(world: World, daemons: list[Replicator], cell: Cell, *, seed: int) -> Outcome:
    """A frozen daemon's shards go to the other, and one of them back when it is thawed."""
    scene = Scene(world, cell, seed=seed)
    ears = [Ear(daemon) for daemon in daemons]
    return judged(scene, ears, world.lease_rows(), lambda: _hand_over(scene, daemons))


def _hand_over(scene: Scene, daemons: list[Replicator]) -> str:
    world = scene.world
    with scene.armed() as strike:
        freeze(daemons[0])
        try:
            world.write()
            if not wait(lambda: owners(world) == 1 or daemons[1].process.poll() is not None, REST_SECONDS):
                raise BrokenError("the frozen daemon's shards were not taken")
            scene.wait_met(world.write, SHORT_WINDOW_SECONDS)
            rest(world, [daemons[1]])
        finally:
            thaw(daemons[0])
        if not wait(lambda: owners(world) == len(daemons), REST_SECONDS):
            raise BrokenError("the thawed daemon was not given a shard")
        scene.wait_met(world.write, SHORT_WINDOW_SECONDS)
    world.write()
    rest(world, daemons)
    return GOES_ON if strike.met else scene.unmet()


def owners(world: World) -> int:
    """How many daemons have leases of open shards, if each of those is somebody's; else 0."""
    rows = world.lease_rows()
    held = [rows.get(shard.id, {}).get("leaseOwner", {}).get("S") for shard in world.simulator.open_shards()]
    return len(set(held)) if None not in held else 0


# --- A daemon's beginning and its end --------------------------------------------------------------------------------


def start(world: World, daemon: Replicator, cell: Cell, *, seed: int) -> Outcome:
    """A daemon starts; what was written before waits for it."""
    scene = Scene(world, cell, seed=seed)
    ear = Ear(daemon)
    before = world.lease_rows()
    world.write()

    def act() -> str:
        with scene.armed() as strike:
            world.start(daemon)
            try:
                rest(world, [daemon])
            except BrokenError:
                if cell.fault in _MAY_END and daemon.process.poll() == _MUST_BE_PUT_RIGHT and strike.met:
                    world.start(daemon)
                    rest(world, [daemon])
                    return ENDS_SAID
                raise
            scene.wait_met(world.write, 2.0, daemon=daemon)
            return _went_on(scene, daemon) if strike.met else scene.unmet()

    return judged(scene, [ear], before, act)


def stop(world: World, daemon: Replicator, cell: Cell, *, seed: int) -> Outcome:
    """A daemon is told to stop while changes are on their way: it ends with 0, and no checkpoint is past any."""
    scene = Scene(world, cell, seed=seed)
    ear = Ear(daemon)

    def act() -> str:
        world.write_many()
        world.write()
        with scene.armed() as strike:
            daemon.process.send_signal(signal.SIGTERM)
            if not wait(lambda: daemon.process.poll() is not None, STOP_SECONDS):
                raise BrokenError(f"it still runs {STOP_SECONDS:.0f} s after SIGTERM")
        wrong = [*checks.passed_unapplied(world)]
        if daemon.process.poll() != 0:
            wrong.append(f"it ended with {daemon.process.poll()}")
        if wrong:
            raise BrokenError("; ".join(wrong))
        return GOES_ON if strike.met else scene.unmet()

    return judged(scene, [ear], world.lease_rows(), act)


def kill(daemon: Replicator) -> None:
    """End it, whatever it does."""
    with suppress(AssertionError):
        thaw(daemon)
    daemon.__exit__()


assert set(FAULTS) > _MAY_END
