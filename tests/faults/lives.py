"""The moments of a daemon's beginning and of its end."""

from __future__ import annotations

import signal
from contextlib import suppress

from tests.fakes.daemon.replicator import Replicator
from tests.faults.cells import Cell
from tests.faults.checks import Ear
from tests.faults.outcome import ENDS_SAID, GOES_ON, Outcome
from tests.faults.scene import BrokenError, Scene, judged, rest, wait, went_on
from tests.faults.world import World, thaw

_WINDOW_SECONDS = 2.0
_STOP_SECONDS = 75.0
# A person may have to put these right, and a start can't tell: it may say so and end.
_MAY_END = {"denied", "not-found"}
_MUST_BE_PUT_RIGHT = 22


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
            scene.wait_met(world.write, _WINDOW_SECONDS, daemon=daemon)
            return went_on(scene, daemon) if strike.met else scene.unmet()

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
            if not wait(lambda: daemon.process.poll() is not None, _STOP_SECONDS):
                raise BrokenError(f"it still runs {_STOP_SECONDS:.0f} s after SIGTERM")
        status = daemon.process.poll()
        wrong = [*world.passed_unapplied(daemon)]
        if status != 0:
            wrong.append(f"it ended with {status}")
        if wrong:
            raise BrokenError("; ".join(wrong))
        return GOES_ON if strike.met else scene.unmet()

    return judged(scene, [ear], world.lease_rows(), act)


def kill(daemon: Replicator) -> None:
    """End it, whatever it does."""
    with suppress(AssertionError):
        thaw(daemon)
    daemon.__exit__()
