"""Makes the parts of a comparison, and forks the processes that share it."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.aws.timeouts import WriteTimeouts
from processor.commands.verify import marked, steps
from processor.commands.verify.comparison import Comparison
from processor.commands.verify.crew import Alone, Crew, Forked
from processor.commands.verify.digests import BucketDigests
from processor.commands.verify.judge import Judge
from processor.commands.verify.marked import StateOf
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.recheck import Recheck
from processor.commands.verify.repair import Repair, Tell, keeping_extra, would_repair
from processor.commands.verify.report import Found, Results
from processor.commands.verify.rolling import Rolling
from processor.commands.verify.sides import sides_of
from processor.commands.verify.task import VerifyTask
from processor.dynamodb.keys import key_reader
from processor.flow import retry_policy
from processor.flow.chance import CHANCE
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.worker_group import WorkerGroup
from processor.replication import tables
from processor.replication.fences import Fences
from processor.replication.two_way.marker import Markers
from processor.reporting.logs import Log
from processor.system import cores

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings
    from processor.view.item_view import ItemView

# A repair holds no lease, so its calls may take longer than replication's.
_TIMEOUTS = WriteTimeouts(connect=3, read=10)
# Without verifyProcesses.
_MOST_PROCESSES = 8
# One process is through with so much before others have begun.
_SMALL_BYTES = 16 * 1024 * 1024


def retry(stop: threading.Event) -> Retry:
    """Retries for one table, or for calls to both: a success of one says nothing about the other."""
    return Retry(retry_policy.COMMAND, stop, outage())


def outage() -> Outage:
    """Says that calls fail, and when they work again."""
    return Outage(Log(), "verify_delayed", note="Nothing is lost: it is tried again.")


def processes_of(task: VerifyTask) -> int:
    """How many processes of this machine compare."""
    wanted = task.settings.verify_processes
    if wanted is not None:
        return wanted
    size_bytes = max(int(table.get("TableSizeBytes", 0)) for table in (task.source, task.destination))
    if 0 < size_bytes < _SMALL_BYTES:  # 0 may be a table that was filled just now
        return 1
    return min(cores.available(), _MOST_PROCESSES)


def repair_of(
    task: VerifyTask,
    options: VerifyOptions,
    clients: Clients,
    view: ItemView | None,
    *,
    judge: Judge,
    retry: Retry,
    stack: contextlib.ExitStack,
    timeouts: WriteTimeouts = _TIMEOUTS,
    may_write: Callable[[], None] = lambda: None,
) -> Callable[[list[Found], Tell], None]:
    """What becomes of keys that differ, by the options.

    :param stack: ends its threads
    :param may_write: called before each request; waits, or raises what the call then raises
    """
    if not options.repair:
        return lambda found, tell: tell(found)
    repair: Callable[[list[Found], Tell], None] = would_repair
    if not options.dry_run:
        settings = task.settings
        stored = tables.readable_as_stored(settings, clients)
        fences = Fences(stored, settings.fence_attribute, key_reader(judge.form.key_names))
        numbers = {"number_of": fences.of} if settings.write_mode == "fenced" else {}
        made = Repair(
            source=tables.source(settings, clients, view=view),
            destination=tables.readable(settings, clients),
            table=tables.for_commands(settings, clients, timeouts=timeouts, view=view, may_write=may_write),
            judge=judge,
            retry=retry,
            threads=settings.threads,
            **numbers,
        )
        stack.callback(made.close)
        repair = made
    return repair if options.delete_extra else keeping_extra(repair)


def state_of(settings: Settings) -> StateOf | None:
    """Of a two-way task, what the destination's item says of who has written it."""
    return marked.state_of(Markers(settings.marker_attribute)) if settings.two_way else None


class Assembly:
    """Makes the parts of a comparison.

    :param task: with the pace of all processes together
    :param view: the task's view of the source's items
    :param stack: closes them
    :param rolling: a pass whose progress is kept
    """

    def __init__(
        self,
        task: VerifyTask,
        options: VerifyOptions,
        *,
        clients: Clients,
        results: Results,
        view: ItemView | None,
        stop: threading.Event,
        stack: contextlib.ExitStack,
        rolling: Rolling | None = None,
    ) -> None:
        self._processes = processes_of(task)
        sharing = self._processes + (self._processes > 1)  # the first one looks up what the others find
        self._task = task = dataclasses.replace(task, pace=task.pace.shared(sharing))
        self._rolling = rolling
        self._options = options
        self._clients = clients
        self._results = results
        self._judge = Judge(task.form, results, expiry=task.expiry, show_expired=task.shows_expired)
        self._view = view
        self._stack = stack
        self._stop = stop
        self._workers = WorkerGroup(stop, tick=self._say)
        self._comparison: Comparison | None = None
        self._sides = sides_of(task, clients, view, retry=self._retry, stop=stop)
        self._crew = self._made_crew()  # before this process has threads, for others may be forked from it
        self._steps = stack.enter_context(steps.shown(task.settings))

    def comparison(self, *, pause: Callable[[int], float]) -> Comparison:
        """Ready to run."""
        recheck = Recheck(
            self._sides["source"],
            self._sides["destination"],
            judge=self._judge,
            looks=self._options.recheck,
            results=self._results,
            workers=self._workers,
            retry=self._retry(),
            repair=repair_of(
                self._task,
                self._options,
                self._clients,
                self._view,
                judge=self._judge,
                retry=self._retry(),
                stack=self._stack,
            ),
            values=self._options.values,
            pause=pause,
            state_of=state_of(self._task.settings),
        )
        self._stack.callback(recheck.close)
        self._comparison = Comparison(
            self._sides,
            crew=self._crew,
            recheck=recheck,
            results=self._results,
            buckets=BucketDigests(1 if self._task.differing is None else len(self._task.differing)),
            differing=self._task.differing,
            share=self._options.share,
            chance=CHANCE,
            settled=self._rolling.settled if self._rolling is not None else None,
        )
        return self._comparison

    def _made_crew(self) -> Crew:
        if self._processes == 1:
            return Alone(self._task, self._sides, self._workers)
        forked = Forked(self._task, self._processes, workers=self._workers, outage=outage())
        return self._stack.enter_context(forked)

    def _retry(self) -> Retry:
        return retry(self._stop)

    def _say(self) -> None:
        if self._rolling is not None:
            self._rolling.save_now_and_then()
        if self._comparison is not None:
            self._steps.say(self._comparison.step)
