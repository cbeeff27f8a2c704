"""What one process does of a copy: it becomes a member, and its threads copy segments until all are done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from processor.commands.copy.assembly import Meters, assemble
from processor.commands.copy.context import CopyContext
from processor.commands.copy.member import CopyMember
from processor.commands.copy.segment import SegmentCopy
from processor.commands.copy.totals import Counts, Totals
from processor.dynamodb.expiry import NO_EXPIRY, Expiry, PastTtl
from processor.dynamodb.scanner import Segment
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.worker_group import WorkerGroup
from processor.state.copy_rows import CopyState, SegmentState
from processor.state.sharing.work_queue import WorkQueue

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings
    from processor.view.item_view import ItemView


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTask:
    """What the processes of one machine need to know of a copy.

    :param source: DescribeTable of it; ``destination``: the same
    :param past_ttl: whether an item is past the source's TTL
    :param expiry: which items stay at the destination although the source has deleted them
    :param processes: how many of them there are on this machine, which begin together
    """

    settings: Settings
    copy: CopyState
    source: dict[str, Any]
    destination: dict[str, Any]
    past_ttl: PastTtl
    expiry: Expiry = NO_EXPIRY
    processes: int = 1


class CopyWorker:
    """One process's part of a copy.

    :param clients: this process's own
    :param view: the same, of the task's items
    """

    def __init__(
        self, task: CopyTask, clients: Clients, view: ItemView | None, *, stop: threading.Event, outage: Outage
    ) -> None:
        self._task = task
        self._clients = clients
        self._view = view
        self._stop = stop
        self._outage = outage
        self._totals = Totals()
        self._meters = Meters.of(task.settings, task.source, task.destination, stop=stop)

    @property
    def counts(self) -> Counts:
        """What it has copied so far, and what that took."""
        return msgspec.structs.replace(
            self._totals.counts,
            read_units=self._meters.reading.consumed,
            write_units=self._meters.writing.consumed,
            throttles=self._meters.limit.throttles,
        )

    def run(self, tick: Callable[[], None]) -> None:
        """Copy until all segments are done, whoever does them.

        :param tick: called several times a second
        :raises StoppedError: the stop came first
        :raises CopyTakenError: this process slept for so long that the others took over
        :raises ReplicatorError: it can't go on
        """
        settings, copy = self._task.settings, self._task.copy
        member = CopyMember(
            self._clients.checkpoints,
            settings.task_table,
            copy,
            stop=self._stop,
            failed=lambda exc: self._outage.failed(exc.code, str(exc)),
            counted=self._share,
        )
        retry = Retry(retry_policy.COMMAND, self._stop, self._outage)
        if not retry(member.join):
            return
        with member:
            context = self._context(member)
            queue = WorkQueue(member, retry)
            threads = min(settings.threads, copy.segments)
            works = [lambda: self._copy(queue, context)] * threads
            WorkerGroup(self._stop, tick=tick).run(works, threads=threads, name="copy")

    def _share(self, members: int) -> None:
        """Keep to one's share of the limits: those that begin together count from the start."""
        for meter in (self._meters.reading, self._meters.writing):
            meter.share(max(members, self._task.processes))

    def _copy(self, queue: WorkQueue[SegmentState], context: CopyContext) -> None:
        while (state := queue.next()) is not None:
            SegmentCopy(Segment(state.number, self._task.copy.segments), state, context).run()
            queue.finished()

    def _context(self, member: CopyMember) -> CopyContext:
        task = self._task
        return assemble(
            task.settings,
            self._clients,
            member,
            task.source,
            meters=self._meters,
            outage=self._outage,
            stop=self._stop,
            past_ttl=task.past_ttl,
            expiry=task.expiry,
            view=self._view,
            written=self._totals.add,
        )
