"""What one process does of a shared verification: it becomes a member, and compares parts until all are done."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from processor.aws.timeouts import WriteTimeouts
from processor.commands.verify import assembly
from processor.commands.verify.comparison import Comparison
from processor.commands.verify.digests import BucketDigests, DifferingBuckets, bucket_count
from processor.commands.verify.judge import Judge
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.recheck import Recheck
from processor.commands.verify.repair import Tell
from processor.commands.verify.report import Found, Results, VerifyReport
from processor.commands.verify.settled import SettledParts
from processor.commands.verify.shared import found
from processor.commands.verify.shared.counts import PassCounts
from processor.commands.verify.shared.part_crew import PartCrew
from processor.commands.verify.shared.pass_member import PassMember
from processor.commands.verify.sides import Sides, sides_of
from processor.commands.verify.task import VerifyTask
from processor.commands.verify.worker import VerifyWorker
from processor.flow import retry_policy
from processor.flow.chance import CHANCE
from processor.flow.retry import Retry
from processor.flow.worker_group import WorkerGroup
from processor.state.pass_rows import PartRow, PassState
from processor.state.sharing.crew import Seat
from processor.state.sharing.work_queue import WorkQueue

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.view.item_view import ItemView

# What a process tells the one that waits: lines for --output.
LINES = "lines"
# Together 8 s: less than what ``watch.WATCH_SECONDS`` leaves after a term.
_TIMEOUTS = WriteTimeouts(connect=1, read=5)
# Parts in hand for each that is read: the others' keys are read again, which is mostly pauses.
_IN_HAND = 3
# Of one part; it has 9 bytes for each.
_MOST_BUCKETS = 1 << 19

Repairs = Callable[[list[Found], Tell], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTask:
    """What the processes of one machine need to know of the pass.

    :param pause: the wait before a key is read again for the n-th time, in seconds
    :param processes: how many of them there are on this machine, which begin together
    """

    task: VerifyTask
    options: VerifyOptions
    under_way: PassState
    pause: Callable[[int], float]
    processes: int


class PassWorker:
    """One process's part of a pass. Implements ``crew.Worker``.

    :param clients: this process's own
    :param view: the same, of the task's items
    """

    def __init__(self, given: PassTask, clients: Clients, view: ItemView | None, seat: Seat) -> None:
        self._given = given
        self._task = given.task
        self._clients = clients
        self._view = view
        self._seat = seat
        self._sides = sides_of(self._task, clients, view, retry=self._retry, stop=seat.stop)
        self._slots = threading.BoundedSemaphore(self._task.threads)
        self._lock = threading.Lock()
        self._items = 0
        # Which form of the items was last of use to compare them by.
        self._useful_form = 0

    @property
    def counts(self) -> PassCounts:
        """What it has read so far."""
        return PassCounts(items=self._items)

    def run(self, tick: Callable[[], None]) -> None:
        """Compare parts until all are done, whoever does them; see ``crew.Worker``."""
        settings, outage = self._task.settings, self._seat.outage
        member = PassMember(
            self._clients.checkpoints,
            settings.task_table,
            self._given.under_way,
            stop=self._seat.stop,
            failed=lambda exc: outage.failed(exc.code, str(exc)),
            counted=self._share,
        )
        retry = self._retry()
        if not retry(member.join):
            return
        with member, contextlib.ExitStack() as stack:
            queue = WorkQueue(member, retry)
            group = WorkerGroup(self._seat.stop, tick=tick)
            rechecks = WorkerGroup(self._seat.stop)
            repair = assembly.repair_of(
                self._task,
                self._given.options,
                self._clients,
                self._view,
                judge=Judge(self._task.form, Results(VerifyReport(), show=0), expiry=self._task.expiry),
                retry=self._retry(),
                stack=stack,
                timeouts=_TIMEOUTS,
                may_write=member.may_write,
            )

            def work() -> None:
                while (number := queue.next()) is not None:
                    row = self._compared(number, rechecks, repair)
                    retry(lambda row=row: member.save(row))  # type: ignore[misc]
                    queue.finished()

            threads = min(self._task.threads * _IN_HAND, self._given.under_way.parts)
            group.run([work] * threads, threads=threads, name="verify")

    def _share(self, members: int) -> None:
        """Keep to one's share of verifyReadUnits: those that begin together count from the start."""
        self._sides.share(max(members, self._given.processes))

    def _retry(self) -> Retry:
        return Retry(retry_policy.COMMAND, self._seat.stop, self._seat.outage)

    def _compared(self, number: int, workers: WorkerGroup, repair: Repairs) -> PartRow:
        """What is found in a part, which counts when its row is stored."""
        report = VerifyReport(dry_run=self._given.options.dry_run)
        with contextlib.ExitStack() as stack:
            self._comparison(
                number, Results(report, show=found.MOST_KEYS, write=self._write), workers, repair, stack
            ).run()
        return PartRow(
            number=number,
            holder="",
            pass_id=self._given.under_way.id,
            items=report.source_items + report.destination_items,
            found=found.packed(report, parts=self._given.under_way.parts),
        )

    def _comparison(
        self, number: int, results: Results, workers: WorkerGroup, repair: Repairs, stack: contextlib.ExitStack
    ) -> Comparison:
        given, sides = self._given, self._sides
        marks = bytearray(self._buckets(sides))
        task = replace(self._task, differing=DifferingBuckets(marks))
        recheck = Recheck(
            sides["source"],
            sides["destination"],
            judge=Judge(task.form, results, expiry=task.expiry, show_expired=task.shows_expired),
            looks=given.options.recheck,
            results=results,
            workers=workers,
            retry=self._retry(),
            repair=repair,
            pause=given.pause,
            state_of=assembly.state_of(task.settings),
        )
        stack.callback(recheck.close)
        worker = VerifyWorker(task, sides, self._seat.stop)
        worker.useful_form = self._useful_form
        stack.callback(self._keep_form, worker)
        return Comparison(
            sides,
            crew=PartCrew(worker, marks, workers=workers, slots=self._slots, counted=self._count),
            recheck=recheck,
            results=results,
            buckets=BucketDigests(len(marks)),
            differing=task.differing,
            chance=CHANCE,
            settled=SettledParts(given.under_way.parts, numbers=(number,)),
        )

    def _buckets(self, sides: Sides) -> int:
        items = max(sides["source"].items, sides["destination"].items)
        return min(_MOST_BUCKETS, bucket_count(items // self._given.under_way.parts))

    def _keep_form(self, worker: VerifyWorker) -> None:
        self._useful_form = worker.useful_form

    def _count(self, items: int) -> None:
        with self._lock:
            self._items += items

    def _write(self, lines: bytes) -> None:
        if self._given.options.output is not None:
            self._seat.tell(LINES, lines.decode())
