"""The moments of one daemon at work: a change now and then, a backlog, a shard's end; a fault once, or as it lasts."""

from __future__ import annotations

import time

from tests.fakes.daemon.replicator import Replicator
from tests.faults import checks
from tests.faults.cells import Cell
from tests.faults.checks import Ear
from tests.faults.one_way import OneWay
from tests.faults.outcome import Outcome
from tests.faults.scene import WRITE_SECONDS, BrokenError, Scene, judged, rest, wait, went_on
from tests.faults.world import World

# As often as the rarest call of a daemon at work is made, and some more.
_WINDOW_SECONDS = 26.0
_SHARD_END_WINDOW_SECONDS = 8.0
_OUTAGE_SECONDS = 12.0
# A fault that keeps changes from their destination for so long, or one of what leases live by, is said by then.
_STUCK_SECONDS = 8.0
_LIVED_BY = {"leases.UpdateItem", "leases.Scan"}
_UNUSABLE = "checkpoints_unusable"
_FAILING = {"not-found", "denied", "throttled", "server-error", "cut", "expired"}


def running(world: World, daemon: Replicator, cell: Cell, *, seed: int) -> Outcome:
    """A cell of the moments ``cells.RUNNING``, in a world at rest."""
    scene = Scene(world, cell, seed=seed)
    ear = Ear(daemon)
    act = {"steady": _steady, "backlog": _backlog, "shard-end": _shard_end, "outage": _outage}[cell.moment]
    return judged(scene, [ear], world.lease_rows(), lambda: act(scene, daemon, ear))


def _steady(scene: Scene, daemon: Replicator, _: Ear) -> str:
    with scene.armed() as strike:
        scene.wait_met(scene.world.write, _WINDOW_SECONDS, daemon=daemon)
        return went_on(scene, daemon) if strike.met else scene.unmet()


def _backlog(scene: Scene, daemon: Replicator, _: Ear) -> str:
    world = scene.world

    def more() -> None:
        if not checks.unequal(world):
            world.write_many()

    with scene.armed() as strike:
        scene.wait_met(more, _WINDOW_SECONDS, daemon=daemon)
        return went_on(scene, daemon) if strike.met else scene.unmet()


def _shard_end(scene: Scene, daemon: Replicator, _: Ear) -> str:
    world = scene.world
    assert isinstance(world, OneWay)  # no other has cells of this moment
    with scene.armed() as strike:
        world.write()
        child = world.simulator.roll_over()
        scene.wait_met(world.write, _SHARD_END_WINDOW_SECONDS, daemon=daemon)
        rest(world, [daemon])
        if not wait(lambda: _is_through(world, str(child.parent), child.id), world.rest_seconds):
            raise BrokenError(f"{child.parent} is not finished, or its child not begun")
        return went_on(scene, daemon) if strike.met else scene.unmet()


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
        scene.wait_met(world.write, _WINDOW_SECONDS, daemon=daemon)
        if not strike.met:
            return scene.unmet()
        over = time.monotonic() + _OUTAGE_SECONDS
        arrived = time.monotonic()
        stuck = 0.0
        while time.monotonic() < over and daemon.process.poll() is None:
            if not checks.unequal(world):
                arrived = time.monotonic()
                world.write()
            stuck = max(stuck, time.monotonic() - arrived)
            time.sleep(WRITE_SECONDS)
        said = ear.events("NOTICE", "WARNING", "ERROR")
    rest(world, [daemon])
    if _UNUSABLE in said and not wait(lambda: f"{_UNUSABLE}_over" in ear.events("NOTICE"), world.rest_seconds):
        # So the next cell's fault would be the same outage, said more rarely.
        raise BrokenError("its end was not said")
    lived_by = scene.cell.call.name in _LIVED_BY and scene.cell.fault in _FAILING
    if not said and (stuck > _STUCK_SECONDS or lived_by):
        raise BrokenError(f"nothing was said of it in {_OUTAGE_SECONDS:.0f} s")
    return went_on(scene, daemon)
