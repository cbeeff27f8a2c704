"""One play, checked."""

from __future__ import annotations

from functools import partial

from tests.model import world
from tests.model.explore import Explored, explore
from tests.model.steps import steps
from tests.model.verdict import violation
from tests.model.world import Play


def check(play: Play, *, most_states: int) -> Explored:
    """Look for a violation in the play's states."""
    return explore(
        world.first(play),
        partial(steps, play=play),
        partial(violation, play=play),
        most_states=most_states,
    )
