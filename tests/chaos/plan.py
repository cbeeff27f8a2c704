"""What an episode will be like, and which faults it meets when: all of it drawn from one seed."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from processor.settings.definitions import DEFINITIONS

WriteMode = Literal["batch", "item", "fenced"]
# Seconds between two faults.
_PAUSE = (1.5, 4.0)
_LOOK_SECONDS = 0.1
# checkpointIntervalMillis: most seconds of faults see some of it put off, and some of the plans are as the default is.
_INTERVALS_MS = (0, 0, 500, 2_000, 5_000)
# A process that was killed or stopped is not the object of another such fault for so long: it takes that to come back.
_RECOVERY_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault.

    ``weight``: how often, beside the others. ``lasts``: the shortest and the longest, in seconds. ``takes``: what it
    has to itself; two faults that take the same never overlap.
    """

    name: str
    weight: float
    lasts: tuple[float, float]
    takes: Literal["process", "destination", "checkpoints", "stream", "shards", "answer"]
    modes: Sequence[WriteMode] = ("batch", "item", "fenced")


# failoverTimeMillis is a few seconds: whatever keeps a daemon from its leases for longer loses them.
KINDS = (
    Kind(name="kill-child", weight=2, lasts=(0, 0), takes="process"),
    Kind(name="kill-nursery", weight=2, lasts=(0, 0), takes="process"),
    Kind(name="kill-daemon", weight=3, lasts=(0, 4), takes="process"),
    Kind(name="kill-oldest", weight=2, lasts=(0, 4), takes="process"),
    Kind(name="restart", weight=2, lasts=(0, 2), takes="process"),
    Kind(name="freeze", weight=1, lasts=(6, 10), takes="process"),
    Kind(name="freeze-busiest", weight=2, lasts=(6, 10), takes="process"),
    Kind(name="freeze-child", weight=1, lasts=(3, 8), takes="process"),
    Kind(name="answers-lost", weight=2, lasts=(1, 3), takes="destination"),
    Kind(name="requests-lost", weight=1, lasts=(1, 3), takes="destination"),
    Kind(name="unprocessed", weight=2, lasts=(1, 3), takes="destination", modes=("batch",)),
    Kind(name="throttle", weight=2, lasts=(2, 6), takes="destination"),
    Kind(name="server-errors", weight=1, lasts=(1, 4), takes="destination"),
    Kind(name="expired-credentials", weight=1, lasts=(2, 6), takes="destination"),
    Kind(name="destination-away", weight=1, lasts=(2, 5), takes="destination"),
    Kind(name="destination-cut-off", weight=1, lasts=(2, 6), takes="destination"),
    Kind(name="slow-writes", weight=2, lasts=(2, 5), takes="destination"),
    Kind(name="duplicates", weight=2, lasts=(1, 4), takes="destination"),
    Kind(name="late-duplicates", weight=4, lasts=(2, 6), takes="destination", modes=("fenced",)),
    Kind(name="checkpoints-throttled", weight=1, lasts=(2, 5), takes="checkpoints"),
    Kind(name="checkpoints-away", weight=1, lasts=(2, 8), takes="checkpoints"),
    Kind(name="checkpoints-cut-off", weight=2, lasts=(4, 10), takes="checkpoints"),
    Kind(name="checkpoint-answers-lost", weight=2, lasts=(1, 3), takes="checkpoints"),
    Kind(name="stream-fails", weight=1, lasts=(1, 5), takes="stream"),
    Kind(name="stream-away", weight=1, lasts=(1, 5), takes="stream"),
    # One wrong answer, to whoever asks first: what lasts is how long it waits for that.
    Kind(name="no-iterator-once", weight=2, lasts=(1, 2), takes="answer"),
    Kind(name="nothing-once", weight=2, lasts=(1, 2), takes="answer"),
    Kind(name="records-not-found-once", weight=2, lasts=(1, 2), takes="answer"),
    Kind(name="iterator-not-found-once", weight=1, lasts=(8, 15), takes="answer"),
    Kind(name="stream-not-found-once", weight=2, lasts=(8, 25), takes="answer"),
    Kind(name="no-shards-once", weight=2, lasts=(8, 25), takes="answer"),
    Kind(name="shard-missing-once", weight=2, lasts=(8, 25), takes="answer"),
    Kind(name="no-lease-once", weight=1, lasts=(8, 15), takes="answer"),
    Kind(name="no-leases-once", weight=1, lasts=(1, 3), takes="answer"),
    Kind(name="empty-answer-once", weight=2, lasts=(1, 3), takes="answer", modes=("batch",)),
    Kind(name="split", weight=3, lasts=(0, 0), takes="shards"),
    Kind(name="roll-over", weight=3, lasts=(0, 0), takes="shards"),
)
_BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fault: when, in seconds from the plan's begin, for how long, and on which machine, where it has one."""

    at: float
    name: str
    seconds: float
    machine: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An episode. ``seconds`` is how long faults go on; the start and the return to rest come on top."""

    seed: int
    seconds: float
    write_mode: WriteMode
    coalesce: bool
    machines: int
    simulated: bool
    shards: int
    refusals: bool
    pause_seconds: float
    steps: tuple[Step, ...]
    checkpoint_interval_ms: int
    view: bool = False  # whether the task has a filter and a mask

    def __str__(self) -> str:
        source = f"{self.shards} simulated shards" if self.simulated else "DynamoDB Local"
        return (
            f"seed {self.seed}: writeMode={self.write_mode} coalesce={str(self.coalesce).lower()} "
            f"checkpointIntervalMillis={self.checkpoint_interval_ms}, "
            f"{'with a filter and a mask, ' if self.view else ''}{self.machines} machines, {source}, "
            f"{len(self.steps)} faults in {self.seconds:.0f} s"
        )


def modes() -> list[WriteMode]:
    """The write modes that the replicator has."""
    (definition,) = (definition for definition in DEFINITIONS if definition.name == "writeMode")
    found: list[WriteMode] = []
    for mode in get_args(WriteMode):
        with contextlib.suppress(ValueError):
            definition.parse(mode)
            found.append(mode)
    return found


def make(seed: int, *, seconds: float, modes: Sequence[WriteMode], without: Sequence[str] = ()) -> Plan:
    """Draw a plan.

    :param modes: those to choose from
    :param without: kinds of faults that are not to happen
    """
    draw = random.Random(seed)
    mode = draw.choice(modes)
    machines = draw.choice((2, 3))
    is_simulated = draw.random() < 0.75
    kinds = [
        kind
        for kind in KINDS
        if mode in kind.modes and kind.name not in without and (is_simulated or kind.takes != "shards")
    ]
    return Plan(
        seed=seed,
        seconds=seconds,
        write_mode=mode,
        coalesce=draw.random() < 0.7,
        machines=machines,
        simulated=is_simulated,
        shards=draw.choice((2, 3, 4)) if is_simulated else 1,
        refusals=draw.random() < 0.5,
        pause_seconds=0.02,
        steps=tuple(_steps(draw, kinds, seconds, machines)),
        checkpoint_interval_ms=draw.choice(_INTERVALS_MS),
    )


def _steps(draw: random.Random, kinds: Sequence[Kind], seconds: float, machines: int) -> list[Step]:
    steps: list[Step] = []
    busy: dict[str, float] = {}  # what is taken -> until when
    at = draw.uniform(0, _PAUSE[0])
    while at < seconds:
        kind = draw.choices(kinds, weights=[kind.weight for kind in kinds])[0]
        machine = draw.randrange(machines)
        lasts = draw.uniform(*kind.lasts)
        taken = f"process {machine}" if kind.takes == "process" else kind.takes
        if busy.get(taken, 0.0) > at:
            at += _LOOK_SECONDS
        else:
            steps.append(Step(at=at, name=kind.name, seconds=lasts, machine=machine))
            busy[taken] = at + lasts + (_RECOVERY_SECONDS if kind.takes == "process" else 0.5)
            at += draw.uniform(*_PAUSE)
    return steps


def steps(*wanted: tuple[float, str, float]) -> tuple[Step, ...]:
    """Faults by hand: when, which, for how long; all on the first machine."""
    return tuple(Step(at=at, name=_BY_NAME[name].name, seconds=seconds, machine=0) for at, name, seconds in wanted)
