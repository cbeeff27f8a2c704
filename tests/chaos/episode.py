"""One episode of chaos: set up, let the plan happen, come to rest, hold what happened against the sources."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from processor.startup import java
from tests.chaos import disasters, schedule, sources
from tests.chaos.fleet import fleet
from tests.chaos.journal import Journals
from tests.chaos.plan import Plan
from tests.chaos.proxies import CheckpointProxy
from tests.chaos.sources import Source
from tests.chaos.stage import Stage
from tests.chaos.task import Task, TaskResult
from tests.chaos.workload import Workload
from tests.chaos.writer import writing
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS

# How long after the last fault the tables may differ: longer than any pause between two tries, with a restart and a
# take-over on top.
REST_SECONDS = PATIENCE_SECONDS


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
    :param symptom: stands in a violation that is awaited; such a one ends the episode, equal tables or not
    """

    def __init__(
        self, plan: Plan, *, endpoint: str, folder: Path, root: Path = java.ROOT, symptom: str | None = None
    ) -> None:
        self._plan = plan
        self._symptom = symptom
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

            with writing(workloads):
                early = [task for task in self._tasks if not task.plan.is_late]
                schedule.wait(stage.machines, lambda: all(task.items() for task in early), PATIENCE_SECONDS)
                if self._plan.once_in_sync:
                    schedule.wait(stage.machines, lambda: all(task.is_in_sync() for task in early), PATIENCE_SECONDS)
                schedule.happen(
                    self._plan.steps,
                    seconds=self._plan.seconds,
                    do=lambda step: disasters.do(stage, step),
                    machines=stage.machines,
                    journal=self._journals,
                )

            def sourced(task: Task) -> tuple[Source, Workload]:
                return stage.sources[task.plan.stream], workloads[task.plan.stream]

            def is_over() -> bool:
                return self._is_noticed(sourced) or all(task.is_equal(*sourced(task)) for task in self._tasks)

            schedule.wait(stage.machines, is_over, REST_SECONDS)
            late = [task for task in self._tasks if not task.is_equal(*sourced(task))]
            unwell = [found for machine in stage.machines for found in schedule.ended(machine)]
            results = [task.result(*sourced(task)) for task in self._tasks]
        for task in late:
            results[task.number].verdict.violations.append(
                f"end: the tables were not equal within {REST_SECONDS:.0f} s of the last fault"
            )
        return Result(plan=self._plan, tasks=results, unwell=unwell, wall_seconds=time.monotonic() - began)

    def _is_noticed(self, sourced: Callable[[Task], tuple[Source, Workload]]) -> bool:
        symptom = self._symptom
        return symptom is not None and any(
            symptom in violation for task in self._tasks for violation in task.broken(*sourced(task))
        )

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
