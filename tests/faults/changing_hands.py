"""The moment in which a shard goes from one daemon to another, and back."""

from __future__ import annotations

from tests.fakes.daemon.replicator import Replicator
from tests.faults.cells import Cell
from tests.faults.checks import Ear
from tests.faults.outcome import GOES_ON, Outcome
from tests.faults.scene import BrokenError, Scene, judged, rest, wait
from tests.faults.world import World, freeze, thaw

_WINDOW_SECONDS = 8.0


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
            if not wait(lambda: owners(world) == 1 or daemons[1].process.poll() is not None, world.rest_seconds):
                raise BrokenError("the frozen daemon's shards were not taken")
            scene.wait_met(world.write, _WINDOW_SECONDS)
            rest(world, [daemons[1]])
        finally:
            thaw(daemons[0])
        if not wait(lambda: owners(world) == len(daemons), world.rest_seconds):
            raise BrokenError("the thawed daemon was not given a shard")
        scene.wait_met(world.write, _WINDOW_SECONDS)
    world.write()
    rest(world, daemons)
    return GOES_ON if strike.met else scene.unmet()


def owners(world: World) -> int:
    """How many daemons have leases of open shards, if each of those is somebody's; else 0."""
    rows = world.lease_rows()
    held = [rows.get(shard, {}).get("leaseOwner", {}).get("S") for shard in world.open_shards()]
    return len(set(held)) if None not in held else 0
