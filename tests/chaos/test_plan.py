"""The plan: drawn from its seed alone, and possible."""

from __future__ import annotations

import pytest

from tests.chaos import plan
from tests.chaos.disasters import _AWAY, _ONCE, _PROCESSES, _REQUESTS, _SHARDS

KINDS = {kind.name: kind for kind in plan.KINDS}


def test_the_same_seed_makes_the_same_plan() -> None:
    """A failed run can be run again."""
    made = [plan.make(seed, seconds=60, modes=["batch", "item"]) for seed in (1, 1, 2)]
    assert made[0] == made[1]
    assert made[0] != made[2]


@pytest.mark.parametrize("seed", range(20))
def test_faults_of_one_part_do_not_overlap(seed: int) -> None:
    """Each is over before the next one of the same part; those of another mode or source never come."""
    made = plan.make(seed, seconds=120, modes=["batch", "item", "fenced"], without=["freeze"])
    until: dict[object, float] = {}
    for step in made.steps:
        kind = KINDS[step.name]
        assert made.write_mode in kind.modes
        assert made.simulated or kind.takes != "shards"
        assert step.name != "freeze"
        part = (kind.takes, step.machine if kind.takes == "process" else None)
        assert until.get(part, 0.0) <= step.at < 120
        until[part] = step.at + step.seconds


def test_every_kind_can_be_done() -> None:
    """The plan's kinds are those that disasters.py knows."""
    assert KINDS.keys() == _AWAY.keys() | _PROCESSES.keys() | _REQUESTS.keys() | _SHARDS.keys() | _ONCE.keys()


def test_a_planted_plan_names_its_faults() -> None:
    """By hand, all on the first machine."""
    (step,) = plan.steps((1, "throttle", 2))
    assert (step.at, step.name, step.seconds, step.machine) == (1, "throttle", 2, 0)
