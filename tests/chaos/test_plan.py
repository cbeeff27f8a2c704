"""The plan: drawn from its seed alone, and possible."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos import plan, schedule
from tests.chaos.disasters import _AWAY, _ONCE, _REQUESTS, _SHARDS
from tests.chaos.journal import Journal, Journals
from tests.chaos.machine_faults import FILES, PROCESSES
from tests.chaos.stage import Done

KINDS = {kind.name: kind for kind in plan.KINDS}


def test_the_same_seed_makes_the_same_plan() -> None:
    """A failed run can be run again."""
    made = [plan.make(seed, seconds=60, modes=["batch", "item"]) for seed in (1, 1, 2)]
    assert made[0] == made[1]
    assert made[0] != made[2]


@pytest.mark.parametrize("tasks", [1, 5])
@pytest.mark.parametrize("seed", range(20))
def test_faults_of_one_part_do_not_overlap(seed: int, tasks: int) -> None:
    """Each is over before the next one of the same part; those of another mode or source never come."""
    modes: list[plan.WriteMode] = ["batch", "item", "fenced"]
    made = plan.make(seed, seconds=120, modes=modes, without=["freeze"], tasks=tasks, streams=min(2, tasks))
    until: dict[object, float] = {}
    for step in made.steps:
        kind = KINDS[step.name]
        if kind.name == "task-added":  # nothing else can be done to its file before
            continue
        assert made.tasks[step.task].write_mode in kind.modes
        assert made.simulated or kind.takes != "shards"
        assert made.is_of_many or not kind.of_many
        assert step.name != "freeze"
        part = plan.part_of(kind, step, [task.stream for task in made.tasks])
        assert until.get(part, 0.0) <= step.at < 120
        until[part] = step.at + step.seconds


def test_tasks_of_several_streams() -> None:
    """They take turns; each is told something of its own, and the last one's file comes later."""
    made = plan.make(3, seconds=60, modes=["batch", "item"], tasks=5, streams=2, view=True)
    assert [task.stream for task in made.tasks] == [0, 1, 0, 1, 0]
    assert [task.view for task in made.tasks] == [True, False, True, False, True]
    assert [task.is_late for task in made.tasks] == [False, False, False, False, True]
    assert [step.task for step in made.steps if step.name == "task-added"] == [4]
    assert {step.task for step in made.steps} == {0, 1, 2, 3, 4}


def test_every_kind_can_be_done() -> None:
    """The plan's kinds are those that disasters.py knows."""
    ways = (_AWAY, PROCESSES, FILES, _REQUESTS, _SHARDS, _ONCE)
    assert KINDS.keys() == {name for way in ways for name in way}


def test_a_planted_plan_names_its_faults() -> None:
    """By hand, all on the first machine."""
    (step,) = plan.steps((1, "throttle", 2))
    assert (step.at, step.name, step.seconds, step.machine) == (1, "throttle", 2, 0)


@pytest.mark.parametrize("until_met", [True, False])
def test_a_planted_fault_lasts_until_something_has_met_it(*, until_met: bool) -> None:
    """A drawn one ends in its time."""
    (step,) = plan.steps((0, "throttle", 0))
    looks = iter([False, False, True])
    ends: list[bool] = []
    done = Done("all", lambda: ends.append(next(looks, True)), lambda: next(looks))
    schedule.happen(
        [replace(step, until_met=until_met)], seconds=0, do=lambda _: done, machines=[], journal=Journals([Journal()])
    )
    assert ends == [until_met]
