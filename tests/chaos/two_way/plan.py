"""What an episode with applications on both sides will be like, all of it drawn from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.chaos.plan import Kind, Step, drawn

Policy: TypeAlias = Literal["hubWins", "lastArrival"]
POLICIES: tuple[Policy, ...] = ("hubWins", "lastArrival")
SIDES: tuple[Literal["hub", "spoke"], ...] = ("hub", "spoke")

# What happens to a side's requests: how often beside the others, and how long.
_OF_SIDES: dict[str, tuple[float, tuple[float, float]]] = {
    "away": (2, (2, 6)),
    "cut-off": (1, (2, 6)),
    "answers-lost": (3, (1, 3)),
    "requests-lost": (1, (1, 3)),
    "throttle": (2, (2, 6)),
    "server-errors": (1, (1, 4)),
    "expired-credentials": (1, (2, 6)),
    "slow-writes": (2, (2, 5)),
    "slow-reads": (1, (2, 5)),
    "duplicates": (2, (1, 4)),
    "late-duplicates": (2, (2, 6)),
    "stream-fails": (1, (1, 5)),
}
KINDS = (
    Kind(name="kill-child", weight=3, lasts=(0, 0), takes="process"),
    Kind(name="kill-nursery", weight=1, lasts=(0, 0), takes="process"),
    Kind(name="kill-keeper", weight=1, lasts=(0, 0), takes="process"),
    Kind(name="kill-daemon", weight=5, lasts=(0, 4), takes="process"),
    Kind(name="kill-oldest", weight=2, lasts=(0, 4), takes="process"),
    Kind(name="restart", weight=2, lasts=(0, 2), takes="process"),
    Kind(name="freeze", weight=2, lasts=(6, 10), takes="process"),
    Kind(name="freeze-busiest", weight=2, lasts=(6, 10), takes="process"),
    Kind(name="freeze-child", weight=2, lasts=(3, 8), takes="process"),
    *(
        Kind(name=f"{side}-{name}", weight=weight, lasts=lasts, takes=side)
        for side in SIDES
        for name, (weight, lasts) in _OF_SIDES.items()
    ),
    Kind(name="checkpoints-throttled", weight=1, lasts=(2, 5), takes="checkpoints"),
    Kind(name="checkpoints-away", weight=1, lasts=(2, 8), takes="checkpoints"),
    Kind(name="checkpoints-cut-off", weight=2, lasts=(4, 10), takes="checkpoints"),
    Kind(name="checkpoint-answers-lost", weight=2, lasts=(1, 3), takes="checkpoints"),
)
_INTERVALS_MS = (0, 0, 500, 2_000)
_PAUSE_OF_WRITES = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An episode. ``seconds`` is how long faults go on; the start and the return to rest come on top.

    :param pause_seconds: of each application, between two writes on the average
    """

    seed: int
    seconds: float
    policy: Policy
    machines: int
    checkpoint_interval_ms: int
    pause_seconds: float
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: conflicts={self.policy} checkpointIntervalMillis={self.checkpoint_interval_ms}, "
            f"{self.machines} machines, {len(self.steps)} faults in {self.seconds:.0f} s"
        )


def make(seed: int, *, seconds: float, policies: Sequence[Policy] = POLICIES, without: Sequence[str] = ()) -> Plan:
    """Draw a plan.

    :param policies: those to choose from
    :param without: kinds of faults that are not to happen
    """
    draw = random.Random(seed)
    policy, machines = draw.choice(policies), draw.choice((1, 2, 2))
    interval_ms = draw.choice(_INTERVALS_MS)
    kinds = [kind for kind in KINDS if kind.name not in without]

    def step(kind: Kind, at: float) -> Step:
        return Step(at=at, name=kind.name, seconds=draw.uniform(*kind.lasts), machine=draw.randrange(machines))

    def part(kind: Kind, step: Step) -> str:
        return f"process {step.machine}" if kind.takes == "process" else kind.takes

    return Plan(
        seed=seed,
        seconds=seconds,
        policy=policy,
        machines=machines,
        checkpoint_interval_ms=interval_ms,
        pause_seconds=_PAUSE_OF_WRITES,
        steps=tuple(drawn(draw, kinds, seconds, step=step, part=part)),
    )
