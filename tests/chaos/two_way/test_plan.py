"""The plan of an episode with applications on both sides: drawn from its seed alone, and possible."""

from __future__ import annotations

import pytest

from processor.startup import java
from tests.chaos.machine_faults import PROCESSES
from tests.chaos.two_way import disasters, plan
from tests.chaos.two_way.bugs import BUGS


def test_the_same_seed_makes_the_same_plan() -> None:
    """A failed run can be run again."""
    made = [plan.make(seed, seconds=60) for seed in (1, 1, 2)]
    assert made[0] == made[1]
    assert made[0] != made[2]


@pytest.mark.parametrize("seed", range(10))
def test_what_is_left_out_does_not_happen(seed: int) -> None:
    """Neither a kind of fault, nor another way with conflicts; and each fault is of a machine that there is."""
    made = plan.make(seed, seconds=60, policies=["lastArrival"], without=["freeze"])
    assert made.policy == "lastArrival"
    assert "freeze" not in {step.name for step in made.steps}
    assert all(step.machine < made.machines and 0 <= step.at < 60 for step in made.steps)


def test_every_kind_can_be_done() -> None:
    """Each is one of a process, of a side's requests or of the checkpoints'."""
    for kind in plan.KINDS:
        whose, _, name = kind.name.partition("-")
        assert kind.name in PROCESSES or whose == "checkpoint" or name == "away" or name in disasters._REQUESTS


@pytest.mark.parametrize("name", sorted(BUGS))
def test_each_bug_can_be_planted(name: str) -> None:
    """What it replaces stands in the code once."""
    for path, (old, _) in BUGS[name].edits.items():
        assert (java.ROOT / path).read_text().count(old) == 1
