"""What an episode will be like, and which faults it meets when: all of it drawn from one seed."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
_SIMULATED_SHARE, _COALESCE_SHARE, _REFUSALS_SHARE = 0.75, 0.7, 0.5
# Of each stream, where each of several tasks has a child for it.
_SHARDS_OF_MANY = 2
# Between two writes of one source.
_PAUSE_OF_WRITES = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault.

    ``weight``: how often, beside the others. ``lasts``: the shortest and the longest, in seconds. ``takes``: what it
    has to itself; two faults that take the same never overlap. ``of_many``: only where daemons have many tasks.
    ``by_itself``: only where tasks make good by themselves what is lost.
    """

    name: str
    weight: float
    lasts: tuple[float, float]
    takes: Literal["process", "destination", "checkpoints", "stream", "shards", "answer", "file", "hub", "spoke"]
    modes: Sequence[WriteMode] = ("batch", "item", "fenced")
    of_many: bool = False
    by_itself: bool = False


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
    # Longer than the daemon believes what it has read of the last copy.
    Kind(name="loss", weight=6, lasts=(6, 9), takes="shards", by_itself=True),
    Kind(name="stream-off-and-on", weight=3, lasts=(1, 4), takes="shards", by_itself=True),
    Kind(name="kill-caretaker", weight=3, lasts=(0, 0), takes="process", by_itself=True),
    Kind(name="kill-care-work", weight=3, lasts=(0, 0), takes="process", by_itself=True),
    Kind(name="kill-keeper", weight=3, lasts=(0, 0), takes="process", of_many=True),
    Kind(name="task-removed", weight=4, lasts=(1, 10), takes="file", of_many=True),
    Kind(name="task-changed", weight=4, lasts=(1, 10), takes="file", of_many=True),
    Kind(name="task-cut", weight=2, lasts=(1, 6), takes="file", of_many=True),
    Kind(name="task-added", weight=0, lasts=(0, 0), takes="file", of_many=True),  # once, of the last one
)
_BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fault: when, in seconds from the plan's begin, for how long, on which machine and task, where it has one.

    ``until_met``: for longer where nothing has met it by then; and a write that was sent before does not meet it, for
    what is lost of that may be there already.
    """

    at: float
    name: str
    seconds: float
    machine: int
    task: int = 0
    until_met: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """What one task is told.

    :param stream: the number of its source
    :param view: whether it has a filter and a mask
    :param is_late: whether its file appears while others run
    :param by_itself: whether it makes its own replica (bootstrap, afterLoss)
    """

    stream: int = 0
    write_mode: WriteMode
    coalesce: bool
    checkpoint_interval_ms: int
    view: bool = False
    is_late: bool = False
    by_itself: bool = False

    def __str__(self) -> str:
        return (
            f"writeMode={self.write_mode} coalesce={str(self.coalesce).lower()} "
            f"checkpointIntervalMillis={self.checkpoint_interval_ms}{', with a filter and a mask' if self.view else ''}"
            f"{', added late' if self.is_late else ''}{', by itself' if self.by_itself else ''}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An episode. ``seconds`` is how long faults go on; the start and the return to rest come on top.

    With several tasks each machine's daemon has all of them; ``shards`` are those of each stream.
    ``once_in_sync``: faults wait until the tasks, which make their own replicas, have said that they are in sync.
    """

    seed: int
    seconds: float
    tasks: tuple[TaskPlan, ...]
    machines: int
    simulated: bool
    streams: int = 1
    shards: int
    refusals: bool
    pause_seconds: float
    steps: tuple[Step, ...]
    once_in_sync: bool = False

    @property
    def is_of_many(self) -> bool:
        """Whether daemons have many tasks."""
        return len(self.tasks) > 1

    def __str__(self) -> str:
        source = f"{self.shards} simulated shards" if self.simulated else "DynamoDB Local"
        end = f"{self.machines} machines, {source}, {len(self.steps)} faults in {self.seconds:.0f} s"
        if not self.is_of_many:
            return f"seed {self.seed}: {self.tasks[0]}, {end}"
        tasks = "".join(f"\n  task {number}, stream {each.stream}: {each}" for number, each in enumerate(self.tasks))
        return f"seed {self.seed}: {len(self.tasks)} tasks of {self.streams} streams, {end}{tasks}"


def modes() -> list[WriteMode]:
    """The write modes that the replicator has."""
    (definition,) = (definition for definition in DEFINITIONS if definition.name == "writeMode")
    found: list[WriteMode] = []
    for mode in get_args(WriteMode):
        with contextlib.suppress(ValueError):
            definition.parse(mode)
            found.append(mode)
    return found


def make(
    seed: int,
    *,
    seconds: float,
    modes: Sequence[WriteMode],
    without: Sequence[str] = (),
    view: bool = False,
    tasks: int = 1,
    streams: int = 1,
    by_itself: bool = False,
) -> Plan:
    """Draw a plan.

    :param modes: those to choose from
    :param without: kinds of faults that are not to happen
    :param view: with a filter and a mask; of several tasks every other one has them
    :param tasks: in each daemon, in turns of the streams
    :param by_itself: tasks make their own replicas, so no write is refused: the source has no index that could do it
    """
    draw = random.Random(seed)
    mode = draw.choice(modes)
    machines = draw.choice((2, 3))
    is_simulated = draw.random() < _SIMULATED_SHARE
    coalesce = draw.random() < _COALESCE_SHARE
    shards = draw.choice((2, 3, 4)) if is_simulated else 1
    refusals = draw.random() < _REFUSALS_SHARE
    more = [_task(draw, modes, number % streams, view=view and number % 2 == 0) for number in range(1, tasks)]
    if more:
        shards = min(shards, _SHARDS_OF_MANY)
        more[-1] = replace(more[-1], is_late=True)
    first = TaskPlan(write_mode=mode, coalesce=coalesce, checkpoint_interval_ms=0, view=view)
    kinds = [
        kind
        for kind in KINDS
        if kind.name not in without
        and (is_simulated or kind.takes != "shards")
        and (tasks > 1 or not kind.of_many)
        and (by_itself or not kind.by_itself)
        and any(task.write_mode in kind.modes for task in [first, *more])
    ]
    steps = _steps(draw, kinds, seconds, machines, [first, *more])
    made = (replace(first, checkpoint_interval_ms=draw.choice(_INTERVALS_MS)), *more)
    if more:
        steps.append(Step(at=draw.uniform(0, seconds / 2), name="task-added", seconds=0, machine=0, task=len(more)))
    return Plan(
        seed=seed,
        seconds=seconds,
        tasks=tuple(replace(each, by_itself=by_itself) for each in made),
        machines=machines,
        simulated=is_simulated,
        streams=streams,
        shards=shards,
        refusals=refusals and not by_itself,
        pause_seconds=_PAUSE_OF_WRITES if tasks == 1 else _PAUSE_OF_WRITES * streams,
        steps=tuple(steps),
    )


def _task(draw: random.Random, modes: Sequence[WriteMode], stream: int, *, view: bool) -> TaskPlan:
    return TaskPlan(
        stream=stream,
        write_mode=draw.choice(modes),
        coalesce=draw.random() < _COALESCE_SHARE,
        checkpoint_interval_ms=draw.choice(_INTERVALS_MS),
        view=view,
    )


def part_of(kind: Kind, step: Step, streams: Sequence[int]) -> str:
    """What a fault has to itself.

    :param streams: of each task
    """
    if kind.takes == "process":
        return f"process {step.machine}"
    if kind.takes == "destination":
        return f"destination {step.task}"
    if kind.takes == "file":
        return f"file {step.task} of {step.machine}"
    if kind.takes in ("stream", "shards"):
        return f"{kind.takes} {streams[step.task]}"
    return kind.takes


def _steps(
    draw: random.Random, kinds: Sequence[Kind], seconds: float, machines: int, tasks: Sequence[TaskPlan]
) -> list[Step]:
    streams = [task.stream for task in tasks]

    def step(kind: Kind, at: float) -> Step:
        machine = draw.randrange(machines)
        lasts = draw.uniform(*kind.lasts)
        fitting = [number for number, task in enumerate(tasks) if task.write_mode in kind.modes]
        task = fitting[0] if len(tasks) == 1 else draw.choice(fitting)
        return Step(at=at, name=kind.name, seconds=lasts, machine=machine, task=task)

    return drawn(draw, kinds, seconds, step=step, part=lambda kind, step: part_of(kind, step, streams))


def drawn(
    draw: random.Random,
    kinds: Sequence[Kind],
    seconds: float,
    *,
    step: Callable[[Kind, float], Step],
    part: Callable[[Kind, Step], str],
) -> list[Step]:
    """Draw faults of these kinds, which don't overlap where they are of the same part.

    :param step: draws all of a fault but its kind and its time
    :param part: what it has to itself
    """
    steps: list[Step] = []
    busy: dict[str, float] = {}  # what is taken -> until when
    at = draw.uniform(0, _PAUSE[0])
    while at < seconds:
        kind = draw.choices(kinds, weights=[kind.weight for kind in kinds])[0]
        found = step(kind, at)
        its = part(kind, found)
        if busy.get(its, 0.0) > at:
            at += _LOOK_SECONDS
        else:
            steps.append(found)
            busy[its] = at + found.seconds + (_RECOVERY_SECONDS if kind.takes == "process" else 0.5)
            at += draw.uniform(*_PAUSE)
    return steps


def steps(*wanted: tuple[float, str, float]) -> tuple[Step, ...]:
    """Faults by hand: when, which, for how long and until they were met; all on the first machine."""
    return tuple(
        Step(at=at, name=_BY_NAME[name].name, seconds=seconds, machine=0, until_met=True)
        for at, name, seconds in wanted
    )
