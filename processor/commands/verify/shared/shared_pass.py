"""Runs a shared verification on this machine: begins or joins it, compares parts, and reports what all have found."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.commands.verify import assembly, steps, terms
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.report import VerifyReport
from processor.commands.verify.shared import found, opening
from processor.commands.verify.shared.counts import PassCounts
from processor.commands.verify.shared.pass_member import PassMember
from processor.commands.verify.shared.pass_worker import LINES, PassTask, PassWorker
from processor.commands.verify.steps import Step
from processor.commands.verify.task import VerifyTask
from processor.dynamodb import segments
from processor.errors import ReplicatorError, VerifyTakenError
from processor.reporting import output
from processor.state.pass_rows import PassState
from processor.state.sharing.crew import Crew, Seat, crew
from processor.state.sharing.tally import Tally
from processor.view import task_view

if TYPE_CHECKING:
    from processor.view.item_view import ItemView

# As a step of a comparison that is not shared, for metrics.
_STEP = "digests"
_NOTES = (
    "The parts that it had are compared anew by the others, once its hold has lapsed. Nothing is lost.",
    "Other machines go on, if there are any. Give the same command again: it joins them, or begins anew.",
)
Write = Callable[[bytes], None]


class SharedPass:
    """One machine's part, and the report of all.

    :param view: the task's view of the source's items, and its digest
    :param write: takes lines for ``--output``
    """

    def __init__(
        self,
        task: VerifyTask,
        options: VerifyOptions,
        *,
        clients: Clients,
        view: ItemView | None,
        view_digest: str,
        write: Write,
        pause: Callable[[int], float],
        stop: threading.Event,
    ) -> None:
        self._task = task
        self._options = options
        self._clients = clients
        self._view = view
        self._view_digest = view_digest
        self._write = write
        self._pause = pause
        self._stop = stop
        self._outage = assembly.outage()
        self._retry = assembly.retry(stop)

    def run(self, report: VerifyReport) -> int:
        """Compare, until all parts are done, whoever does them.

        :param report: gets what all have found, whatever is raised
        :returns: when the first machine began, in milliseconds since the epoch
        :raises NotReadyError: a verification is under way that is made in another way
        :raises StoppedError: the stop came first
        :raises ReplicatorError: it could not be finished
        """
        member = opening.join(
            self._clients.checkpoints,
            self._task.settings.task_table,
            self._new(),
            stop=self._stop,
            retry=self._retry,
            failed=lambda exc: self._outage.failed(exc.code, str(exc)),
            say=output.say,
        )
        with contextlib.ExitStack() as stack:
            workers = stack.enter_context(self._crew(member.work))  # before this process has threads
            stack.enter_context(member)
            tally = stack.enter_context(self._tally(member))
            shown = stack.enter_context(steps.shown(self._task.settings))
            step = Step(_STEP, member.work.expected_items)

            def tick() -> None:
                tally.own = workers.counts
                step.done = tally.counts.items
                shown.say(step)

            try:
                workers.run(tick)
            except BaseException:
                with contextlib.suppress(ReplicatorError):
                    _gather(member, report, show=self._options.show)
                raise
            done = self._retry(lambda: _gather(member, report, show=self._options.show))
        if done != member.work.parts:
            raise VerifyTakenError(self._task.settings.task_table)
        report.complete = True
        return member.work.started_ms

    def _new(self) -> PassState:
        source, destination = self._task.source, self._task.destination
        sizes = [int(table.get("TableSizeBytes", 0)) for table in (source, destination)]
        return PassState(
            id=uuid.uuid4().hex,
            parts=segments.count(max(sizes)),
            expected_items=sum(int(table.get("ItemCount", 0)) for table in (source, destination)),
            started_ms=int(time.time() * 1000),
            terms=terms.shared(self._task, self._options, view_digest=self._view_digest),
        )

    def _crew(self, under_way: PassState) -> contextlib.AbstractContextManager[Crew[PassCounts]]:
        task, settings = self._task, self._task.settings
        processes = assembly.processes_of(task)
        given = PassTask(task=task, options=self._options, under_way=under_way, pause=self._pause, processes=processes)

        def make(seat: Seat) -> PassWorker:
            if not seat.forked:
                return PassWorker(given, self._clients, self._view, seat)
            clients = Clients(settings, connections=2 * task.threads, create=boto3_clients.create)
            return PassWorker(given, clients, task_view.of_source(settings, task.source), seat)

        return crew(
            make,
            processes=processes,
            none=PassCounts(),
            stop=self._stop,
            outage=self._outage,
            heard=self._heard,
            lost_by=VerifyTakenError,
            notes=_NOTES,
        )

    def _heard(self, kind: str, value: Any) -> None:
        assert kind == LINES  # noqa: S101  # they say nothing else
        self._write(value.encode())

    def _tally(self, member: PassMember) -> Tally[PassCounts]:
        def look() -> PassCounts:
            return PassCounts(items=sum(row.items for row in member.rows()))

        return Tally(self._retry(look), lambda _: look(), none=PassCounts(), processes=0)


def _gather(member: PassMember, report: VerifyReport, *, show: int) -> int:
    """Add what the rows of all parts say; returns how many parts are done.

    :raises UnavailableError: they can't be read now
    """
    stored = [(row.number, row.found) for row in member.rows() if row.found is not None]
    parts = [found.unpacked(content) for _, content in sorted(stored)]
    for part in parts:
        report.add(part, show=show)
    return len(parts)
