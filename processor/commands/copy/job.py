"""Runs a copy: opens or joins it in the task table, copies what is left, and marks it as done."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from processor.commands.copy import lock, standing
from processor.commands.copy.asked import AskedCopy
from processor.commands.copy.crew import crew
from processor.commands.copy.deadline import CopyDeadline
from processor.commands.copy.lock import CopyLock
from processor.commands.copy.report import CopyReport
from processor.commands.copy.s3 import job
from processor.commands.copy.totals import Counts
from processor.commands.copy.worker import CopyTask
from processor.dynamodb.expiry import NEVER, NO_EXPIRY, Expiry, PastTtl
from processor.errors import CopyTakenError, NotReadyError, ReplicatorError
from processor.flow import retry_policy
from processor.flow.retry import Retry
from processor.state import copy_members, copy_rows, leases, liveness, task_row
from processor.state.copy_rows import CopyState, SegmentState
from processor.state.leases import Lease
from processor.state.sharing.tally import Tally
from processor.system import cores, process_name
from processor.view import task_view

if TYPE_CHECKING:
    import threading

    from processor.aws.clients import Clients
    from processor.flow.outage import Outage
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts

# More would write more than the 40,000 units a second that AWS gives a table at first (``write_cost.ON_DEMAND_UNITS``).
_MOST_PROCESSES = 8
# Items so far, items in all (0 where that is not known), and the other figures in words.
Tell = Callable[[int, int, str], None]


class Job:
    """A copy as the task table describes it: ``copy`` is its row, ``copied_items`` the number of items copied so far.

    :param via: ``s3://bucket/prefix``, for a managed export and import
    :param concurrent: the copy is made beside a replication
    :param restart: begin from the first item, even if an earlier run copied some
    :param say: called with lines to show meanwhile
    :ivar view: the task's view of its items
    :raises NotReadyError: another process runs the copy, or the copy that was begun can't be resumed
    """

    def __init__(
        self,
        settings: Settings,
        clients: Clients,
        facts: Facts,
        via: str | None,
        *,
        concurrent: bool,
        restart: bool,
        say: Callable[[str], None],
    ) -> None:
        assert facts.source is not None  # noqa: S101  # else it was not found ready
        self._settings = settings
        self._clients = clients
        self._source: dict[str, Any] = facts.source
        self._destination: dict[str, Any] = facts.destination or {}  # by way of S3 there is none yet
        self._task = facts.task
        self._source_clock_ms, self._begun = facts.source_clock_ms, bool(facts.leases)
        self._asked = AskedCopy(
            settings=settings,
            source=self._source,
            destination=self._destination,
            via=via or "",
            concurrent=concurrent,
            replicating=leases.begun(facts.leases),
            view_digest=task_view.digest_of(settings),
        )
        found = lock.look(lambda: copy_rows.read(clients.checkpoints(), settings.task_table), say)
        self._joins = self._asked.joins(found, restart=restart)
        self._before = found.work if self._joins else lock.insist_free(found)
        if self._joins:
            say(f"Joining this task's copy, which {process_name.name_of(found.worker)} works on, too")
        self.view = task_view.of_source(settings, self._source)
        if self._before is None or restart:
            self.copy = self._asked.new(self._before)
        else:
            self.copy = self._asked.gone_on_with(self._before)
        self.copied_items = 0
        if self.copy is not self._before and self._before is not None and self.copy.id == self._before.id:
            begun = copy_rows.read_segments(clients.checkpoints(), settings.task_table, self.copy)
            self.copied_items = sum(segment.items + segment.expired + segment.filtered for segment in begun)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.copy.state == "done"

    @property
    def is_replicating(self) -> bool:
        """Whether a replication had begun beside it when it was looked at."""
        return self._asked.replicating

    @property
    def processes(self) -> int:
        """How many processes of this machine copy."""
        wanted = self._settings.copy_processes or min(cores.available(), _MOST_PROCESSES)
        return min(wanted, self.copy.segments)

    @property
    def age_seconds(self) -> float:
        """The time since the copy began that this run resumes, in seconds; 0 for a new one."""
        return self.copy.age_seconds if self._before is not None and self.copy.id == self._before.id else 0.0

    @property
    def waits_for_replication(self) -> bool:
        """Whether the copy is to be made beside a replication that has not begun yet."""
        return self.copy.concurrent and not self.is_replicating

    def run(
        self,
        *,
        outage: Outage,
        stop: threading.Event,
        shown: Callable[[], AbstractContextManager[Tell]],
        past_ttl: PastTtl = NEVER,
        expiry: Expiry = NO_EXPIRY,
        written: Callable[[int, float], None] = lambda *_: None,
    ) -> CopyReport:
        """Copy what is left.

        :param shown: begins to show the progress; entered when the processes are forked, as it may begin threads
        :param written: is told how many items this run has written or left out, and of the write units
        :param past_ttl: whether an item is past the source's TTL; such items are passed over
        :param expiry: which items stay at the destination although the source has deleted them
        :raises StoppedError: the stop came first
        :raises NotReadyError: daemons replicate this task
        :raises ReplicatorError: it can't go on; the next run resumes it
        """
        self.copy = msgspec.structs.replace(self.copy, ttl=self.copy.ttl or past_ttl.attribute or "")
        self._record_task()
        retry = Retry(retry_policy.COMMAND, stop, outage)
        retry(self._refuse_daemons)
        if self.copy.via:
            return self._by_way_of_s3(retry, outage=outage, stop=stop)
        self._open(retry)
        task = CopyTask(
            settings=self._settings,
            copy=self.copy,
            source=self._source,
            destination=self._destination,
            past_ttl=past_ttl,
            expiry=expiry,
            processes=self.processes,
        )
        deadline = CopyDeadline(self.copy, lambda: leases.begun(self._leases()))
        began, before = time.monotonic(), Counts.of(retry(self._read_segments))
        tally = Tally(before, self._counts_of_others, none=Counts(), processes=task.processes)
        with crew(task, self._clients, self.view, stop=stop, outage=outage) as workers, shown() as tell, tally:

            def tick() -> None:
                deadline.check()
                tally.own = workers.counts
                written(tally.own.planned, tally.own.write_units)
                tell(tally.counts.passed, self.copy.expected_items, tally.counts.size_words + tally.own.words)

            workers.run(tick)
        counts = Counts.of(retry(self._finish))
        if proves_view(self._settings, self.copy):
            retry(self._note_view)
        return self._report(counts, workers.counts, before=before, began=began, replicating=deadline.replicating())

    def _record_task(self) -> None:
        """Write the task's row, as a start does.

        :raises NotReadyError: another start wrote a different one in between
        """
        task_row.record(
            self._settings,
            self._clients,
            stream_arn=self.copy.stream_arn,
            destination_arn=self._destination.get("TableArn", ""),
            before=self._task,
            now_ms=min(self.copy.started_ms, self._source_clock_ms or self.copy.started_ms),
            begun=self._begun,
            view_digest=self._asked.view_digest,
        )

    def _report(self, counts: Counts, own: Counts, *, before: Counts, began: float, replicating: bool) -> CopyReport:
        """What came of it.

        :param counts: the whole copy's, ``own`` of them this machine's in this run, and ``before`` those before it
        :param began: ``time.monotonic()``
        """
        return CopyReport(
            items=counts.items,
            size_bytes=counts.size_bytes,
            items_before=before.items,
            set_aside=own.set_aside,
            expired=counts.expired,
            filtered=counts.filtered,
            seconds=round(time.monotonic() - began, 3),
            read_units=own.read_units,
            write_units=own.write_units,
            throttles=own.throttles,
            concurrent=self.copy.concurrent,
            replicating=replicating,
            onto_items=self.copy.onto_items,
            started_ms=self.copy.started_ms,
        )

    def _by_way_of_s3(self, retry: Retry, *, outage: Outage, stop: threading.Event) -> CopyReport:
        settings, clients = self._settings, self._clients
        held = CopyLock(
            clients.checkpoints,
            settings.task_table,
            self.copy,
            before=self._before,
            failed=lambda exc: outage.failed(exc.code, str(exc)),
        )
        with held:
            try:
                # A daemon that began before the row was written did not see it. One that begins now does.
                retry(self._refuse_daemons)
            except NotReadyError:
                held.withdraw(self._before)
                raise
            return job.run(settings, clients, held, stop=stop)

    def _open(self, retry: Retry) -> None:
        """Store the row of the copy, which nobody works on yet, unless others have done so: then they are joined.

        :raises NotReadyError: daemons replicate this task
        """
        table, opened = self._settings.task_table, None
        if not self._joins:
            opened = msgspec.structs.replace(lock.begun_here(self.copy), members={})
            row = retry(partial(self._store, opened))
            opened = row if row.holder == opened.holder else None
            self.copy = row
        try:
            # A daemon that began before the row was written did not see it. One that begins now does.
            retry(self._refuse_daemons)
        except NotReadyError:
            if opened is not None:
                with contextlib.suppress(CopyTakenError):  # others have joined: the last of them does this
                    lock.restore(self._clients.checkpoints(), table, opened, before=self._before)
            raise

    def _store(self, opened: CopyState) -> CopyState:
        """Store the row; returns it as it is now, which is another machine's if that was faster."""
        client, table = self._clients.checkpoints(), self._settings.task_table
        try:
            copy_rows.write(client, table, opened, before=self._before)
        except CopyTakenError:
            found = copy_rows.read(client, table)
            if found is not None and found.holder == opened.holder:
                return found  # only the answer was lost
            if found is None or found.members is None or found.concurrent != opened.concurrent:
                raise
            going_on = self._asked.gone_on_with(found)
            if going_on.state == "done" or (self._before is not None and opened.id == self._before.id != found.id):
                raise
            return going_on
        return opened

    def _read_segments(self) -> list[SegmentState]:
        return copy_rows.read_segments(self._clients.checkpoints(), self._settings.task_table, self.copy)

    def _counts_of_others(self, own: int) -> Counts | None:
        """What the segments say, if more processes work on them than this machine's; else None."""
        row = copy_rows.read(self._clients.checkpoints(), self._settings.task_table)
        return Counts.of(self._read_segments()) if row is not None and len(row.members or {}) > own else None

    def _finish(self) -> list[SegmentState]:
        """Store that the copy is done, after another look whether it is; returns its segments.

        :raises ReplicatorError: it isn't
        """
        client, table = self._clients.checkpoints(), self._settings.task_table
        left = standing.standing(self.copy, copy_rows.read_rows(client, table)).left
        states = self._read_segments()
        if left or len(states) != self.copy.segments or not all(state.done for state in states):
            message = (
                f"Task table {table}: the rows of this copy's segments, read again at its end, do not say that all "
                f"{self.copy.segments} are done. Nothing is lost; the copy is not marked as done. Give the same "
                "command again: it does the rest."
            )
            raise ReplicatorError(message)
        counts = Counts.of(states)
        finished = msgspec.structs.replace(
            self.copy,
            finished_ms=int(time.time() * 1000),
            items=counts.items,
            size_bytes=counts.size_bytes,
            expired=counts.expired,
            filtered=counts.filtered,
        )
        copy_members.finish(client, table, finished)
        return states

    def _refuse_daemons(self) -> None:
        if self.copy.concurrent:
            return
        table, client = self._settings.checkpoint_table, self._clients.checkpoints()
        seen = liveness.look(client, table, self._leases(), failover_seconds=self._settings.failover_seconds)
        alive = [daemon.owner for daemon in seen.daemons if daemon.alive]
        if alive or seen.handed_over:
            message = (
                f"This task is being replicated now, by {', '.join(alive) or 'a daemon'}. Nothing was copied: an older "
                "item could be written over a newer one. Stop the daemons first, or copy with --concurrent."
            )
            raise NotReadyError(message)

    def _note_view(self) -> None:
        if self._task is not None and self._task.view_digest != self._asked.view_digest:
            task_row.note_view(self._clients.checkpoints(), self._settings.task_table, self._asked.view_digest)

    def _leases(self) -> list[Lease]:
        return leases.read(self._clients.checkpoints(), self._settings.checkpoint_table) or []


def proves_view(settings: Settings, copy: CopyState) -> bool:
    """Whether all items at the destination are as these settings make them once the copy is done.

    Where it held items before, there may be some that nothing would be written of now.
    """
    leaves_out = settings.filter is not None or settings.transform is not None
    return not (copy.onto_items and leaves_out)
