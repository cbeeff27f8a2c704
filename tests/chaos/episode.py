"""One episode of chaos: set up, let the plan happen, come to rest, hold what happened against the sources."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from processor.startup import java
from tests.chaos import disasters, sources
from tests.chaos.fleet import Machine, fleet
from tests.chaos.journal import Journals, Struck
from tests.chaos.plan import Plan
from tests.chaos.proxies import CheckpointProxy
from tests.chaos.sources import Source
from tests.chaos.stage import NobodyError, Stage
from tests.chaos.task import Task, TaskResult
from tests.chaos.workload import Workload
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS

_LOOK_SECONDS = 0.05
# Longer than any pause between two tries, with a restart and a take-over on top.
REST_SECONDS = PATIENCE_SECONDS
# What the README promises, a kill of ours, and a SIGTERM that came before our code was there to handle it: during
# ``exec``, or by the JVM's own handler.
_STATUSES = {0, 5, 22, -9, -15, 143}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an episode did, and what became of each task. ``unwell`` is what is wrong besides."""

    plan: Plan
    tasks: Sequence[TaskResult]
    unwell: Sequence[str] = field(default=())
    wall_seconds: float

    @property
    def violations(self) -> list[str]:
        """All that was found, the task's with its number where there are several."""
        found = [
            f"task {task.number}: {violation}" if self.plan.is_of_many else violation
            for task in self.tasks
            for violation in task.verdict.violations
        ]
        return [*found, *self.unwell]


class Episode:
    """Runs a plan once.

    :param endpoint: a DynamoDB Local, for destinations and checkpoints, and for sources that are not simulated
    :param folder: for logs
    :param root: the checkout whose run.sh is run
    :param rest_seconds: how long after the last fault the tables may differ
    """

    def __init__(
        self, plan: Plan, *, endpoint: str, folder: Path, root: Path = java.ROOT, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._plan = plan
        self._rest_seconds = rest_seconds
        self._endpoint = endpoint
        self._folder = folder
        self._root = root
        self._name = f"chaos-{uuid.uuid4().hex[:8]}"
        self._tasks = [
            Task(
                number,
                each,
                name=f"{self._name}-{number}",
                endpoint=endpoint,
                folder=folder / f"task-{number}",
            )
            for number, each in enumerate(plan.tasks)
        ]
        self._journals = Journals([task.journal for task in self._tasks])

    def run(self) -> Result:
        """Run it, which takes the plan's seconds and about half a minute more."""
        began = time.monotonic()
        for task in self._tasks:
            task.create()
        with self._stage() as stage:
            workloads = [self._workload(number, source) for number, source in enumerate(stage.sources)]
            with _writing(workloads):
                early = [task for task in self._tasks if not task.plan.is_late]
                self._wait(stage, lambda: all(task.items() for task in early), PATIENCE_SECONDS)
                self._happen(stage)

            def sourced(task: Task) -> tuple[Source, Workload]:
                return stage.sources[task.plan.stream], workloads[task.plan.stream]

            self._wait(stage, lambda: all(task.is_equal(*sourced(task)) for task in self._tasks), self._rest_seconds)
            late = [task for task in self._tasks if not task.is_equal(*sourced(task))]
            unwell = [found for machine in stage.machines for found in _stop(machine)]
            results = [task.result(*sourced(task)) for task in self._tasks]
        for task in late:
            results[task.number].verdict.violations.append(
                f"end: the tables were not equal within {self._rest_seconds:.0f} s of the last fault"
            )
        return Result(plan=self._plan, tasks=results, unwell=unwell, wall_seconds=time.monotonic() - began)

    # --- Set-up ------------------------------------------------------------------------------------------------------

    def _workload(self, number: int, source: Source) -> Workload:
        return Workload(
            source,
            seed=self._plan.seed + number,
            pause_seconds=self._plan.pause_seconds,
            refusals=self._plan.refusals,
            sees={task.see for task in self._tasks if task.plan.stream == number},
        )

    @contextlib.contextmanager
    def _stage(self) -> Iterator[Stage]:
        with contextlib.ExitStack() as stack:
            made = [stack.enter_context(self._source(number)) for number in range(self._plan.streams)]
            streams = [stack.enter_context(FaultProxy(source.endpoint)) for source in made]
            journals = {task.checkpoint_table: task.journal for task in self._tasks}
            checkpoints = stack.enter_context(CheckpointProxy(self._endpoint, journals))
            settings = []
            for task in self._tasks:
                stack.enter_context(task.destination)
                source = made[task.plan.stream]
                settings.append(
                    {
                        "sourceRegion": sources.REGION,
                        "sourceTable": source.table,
                        "sourceEndpoint": source.endpoint,
                        "sourceStreamsEndpoint": streams[task.plan.stream].endpoint,
                        "kclEndpoint": checkpoints.endpoint,
                        **task.settings(),
                    }
                )
            machines = fleet(
                self._plan.machines,
                self._folder,
                settings,
                self._journals,
                late={task.number for task in self._tasks if task.plan.is_late},
                root=self._root,
            )
            yield Stage(
                machines=stack.enter_context(machines),
                tasks=self._tasks,
                sources=made,
                streams=streams,
                checkpoints=checkpoints,
            )

    def _source(self, number: int) -> contextlib.AbstractContextManager[Source]:
        table = f"{self._name}-source-{number}"
        if self._plan.simulated:
            return sources.simulated(shards=self._plan.shards, seed=self._plan.seed + number, table=table)
        return sources.local(self._endpoint, table)

    # --- What happens ------------------------------------------------------------------------------------------------

    def _happen(self, stage: Stage) -> None:
        """Do the plan's steps, each undone when its time is over; all of them are undone at the end."""
        began = time.monotonic()
        order = itertools.count()  # two at the same time are not compared any further
        due = [(step.at, next(order), step) for step in self._plan.steps]
        undo: list[tuple[float, int, Callable[[], None]]] = []
        heapq.heapify(due)
        while due or undo or time.monotonic() - began < self._plan.seconds:
            now = time.monotonic() - began
            while undo and undo[0][0] <= now:
                heapq.heappop(undo)[2]()
            while due and due[0][0] <= now:
                step = heapq.heappop(due)[2]
                try:
                    done = disasters.do(stage, step)
                except NobodyError:
                    self._journals.add(Struck, name=step.name, detail="", outcome="nobody to do it to")
                    continue
                lasting = f" for {step.seconds:.1f} s" if step.seconds else ""
                self._journals.add(Struck, name=step.name, detail=f"{done.detail}{lasting}", outcome="done")
                if done.undo is not None:
                    heapq.heappush(undo, (now + step.seconds, next(order), done.undo))
            self._look_after(stage.machines)
            time.sleep(_LOOK_SECONDS)

    def _wait(self, stage: Stage, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._look_after(stage.machines)
            if condition():
                return
            time.sleep(_LOOK_SECONDS)

    def _look_after(self, machines: Sequence[Machine]) -> None:
        for machine in machines:
            machine.look()


@contextlib.contextmanager
def _writing(workloads: Sequence[Workload]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for workload in workloads:
            workload.start()
            stack.callback(workload.stop)
        yield


def _stop(machine: Machine) -> Iterator[str]:
    """Stop it, where nothing goes wrong any more; yields what is wrong with that, or was with any end before."""
    try:
        status = machine.stop()
    except AssertionError as exc:
        yield f"end: {machine.name} does not stop: {exc}"
    else:
        if status not in (0, None):
            yield f"end: {machine.name} ended with {status} where nothing went wrong any more"
    for other in set(machine.statuses) - _STATUSES:
        yield f"end: {machine.name} ended with {other}, which is no status of its"
    yield from {f"log of {machine.name}: {line}" for line in machine.replicator.console.splitlines() if "BUG:" in line}
