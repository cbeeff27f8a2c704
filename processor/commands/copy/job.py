"""Runs a copy: takes its row in the task table, copies what is left, and marks the row as done."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from processor.commands.copy import estimate, lock
from processor.commands.copy.assembly import Meters, assemble
from processor.commands.copy.deadline import CopyDeadline
from processor.commands.copy.lock import CopyLock
from processor.commands.copy.report import CopyReport
from processor.commands.copy.s3 import job
from processor.commands.copy.segment import SegmentCopy
from processor.commands.copy.totals import Totals
from processor.dynamodb.expiry import NEVER, NO_EXPIRY, Expiry, PastTtl
from processor.dynamodb.scanner import Segment
from processor.dynamodb.stream_retention import RETENTION_SECONDS
from processor.errors import CopyTooLateError, NotReadyError
from processor.flow import retry_policy
from processor.flow.retry import Retry
from processor.flow.worker_group import WorkerGroup
from processor.state import copy_rows, leases, liveness, task_row
from processor.state.copy_rows import CopyState
from processor.state.leases import Lease
from processor.view import task_view

if TYPE_CHECKING:
    import threading

    from processor.aws.clients import Clients
    from processor.flow.outage import Outage
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts

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
        self._replicating = leases.begun(facts.leases)
        self._via = via or ""
        self._concurrent = concurrent
        self._before = lock.wait_until_free(lambda: copy_rows.read(clients.checkpoints(), settings.task_table), say)
        self.view = task_view.of_source(settings, self._source)
        self._view_digest = task_view.digest_of(settings)
        self.copy = self._new() if self._before is None or restart else self._gone_on_with(self._before)
        self.copied_items = 0
        if self.copy is not self._before and self._before is not None and self.copy.id == self._before.id:
            begun = copy_rows.read_segments(clients.checkpoints(), settings.task_table, self.copy)
            self.copied_items = sum(segment.items + segment.expired + segment.filtered for segment in begun)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.copy.state == "done"

    @property
    def age_seconds(self) -> float:
        """The time since the copy began that this run resumes, in seconds; 0 for a new one."""
        return self.copy.age_seconds if self._before is not None and self.copy.id == self._before.id else 0.0

    @property
    def waits_for_replication(self) -> bool:
        """Whether the copy is to be made beside a replication that has not begun yet."""
        return self.copy.concurrent and not self._replicating

    def _gone_on_with(self, before: CopyState) -> CopyState:
        if before.followed:
            when = time.strftime("%Y-%m-%d", time.localtime((before.finished_ms or before.started_ms) / 1000))
            message = (
                f"Table {self._settings.source_table} was copied on {when}, and replicated since. Nothing was copied "
                "now. --restart copies it anew; beside the replication, with --concurrent."
            )
            raise NotReadyError(message)
        if before.stream_arn != self._source["LatestStreamArn"]:
            raise _cannot_go_on(
                "the source's stream was turned off and on again since it began, so changes would be lost"
            )
        if before.destination_id and before.destination_id != self._destination.get("TableId", before.destination_id):
            raise _cannot_go_on("the destination was deleted and made again since it began")
        if before.view_digest != self._view_digest:
            raise _cannot_go_on(
                "the settings for what is left out, masked, renamed or added have changed since it began"
            )
        if before.state == "done":
            return before
        if before.via != self._via:
            raise _cannot_go_on(f"it was begun {'with --viaS3 ' + before.via if before.via else 'without --viaS3'}")
        concurrent = before.concurrent or self._concurrent
        # By way of S3 it has hours of its own, at each step.
        last_seconds = RETENTION_SECONDS if concurrent else estimate.LAST_SECONDS
        through = before.via or (concurrent and self._replicating)
        if not through and before.age_seconds > last_seconds:
            late = CopyTooLateError(hours=before.age_seconds / 3600, concurrent=concurrent)
            message = f"{late} Nothing was copied now."
            raise NotReadyError(message)
        return msgspec.structs.replace(before, concurrent=concurrent)

    def _new(self) -> CopyState:
        return CopyState(
            id=uuid.uuid4().hex,
            concurrent=self._concurrent,
            segments=self._settings.copy_segments or estimate.segments(self._source),
            started_ms=int(time.time() * 1000),
            stream_arn=self._source["LatestStreamArn"],
            source_id=self._source.get("TableId", ""),
            destination_id=self._destination.get("TableId", ""),
            expected_items=int(self._source.get("ItemCount", 0)),
            expected_bytes=int(self._source.get("TableSizeBytes", 0)),
            onto_items=self._is_onto_items(),
            via=self._via,
            view_digest=self._view_digest,
        )

    def _is_onto_items(self) -> bool:
        """Whether the destination holds items, by what is known: the table's own count is up to six hours old."""
        if self._via:
            return False
        made = self._destination.get("TableId", "")
        of_earlier_copy = self._before is not None and self._before.destination_id in ("", made)
        return of_earlier_copy or int(self._destination.get("ItemCount", 0)) > 0

    def run(
        self,
        *,
        outage: Outage,
        stop: threading.Event,
        tell: Tell,
        past_ttl: PastTtl = NEVER,
        expiry: Expiry = NO_EXPIRY,
        written: Callable[[int, float], None] = lambda *_: None,
    ) -> CopyReport:
        """Copy what is left.

        :param tell: called with the progress
        :param written: is told how many items this run has written or left out, and of the write units
        :param past_ttl: whether an item is past the source's TTL; such items are passed over
        :param expiry: which items stay at the destination although the source has deleted them
        :raises StoppedError: the stop came first
        :raises NotReadyError: daemons replicate this task
        :raises ReplicatorError: it can't go on; the next run resumes it
        """
        settings, clients = self._settings, self._clients
        self.copy = msgspec.structs.replace(self.copy, ttl=self.copy.ttl or past_ttl.attribute or "")
        task_row.record(
            settings,
            clients,
            stream_arn=self.copy.stream_arn,
            destination_arn=self._destination.get("TableArn", ""),
            before=self._task,
            now_ms=min(self.copy.started_ms, self._source_clock_ms or self.copy.started_ms),
            begun=self._begun,
            view_digest=self._view_digest,
        )
        retry = Retry(retry_policy.COMMAND, stop, outage)
        retry(self._refuse_daemons)
        held = CopyLock(
            clients.checkpoints,
            settings.task_table,
            self.copy,
            before=self._before,
            stop=stop,
            failed=lambda exc: outage.failed(exc.code, str(exc)),
        )
        with held:
            try:
                # A daemon that began before the row was written did not see it. One that begins now does.
                retry(self._refuse_daemons)
            except NotReadyError:
                held.withdraw(self._before)
                raise
            if held.copy.via:
                return job.run(settings, clients, held, stop=stop)
            return self._copy(
                held, outage=outage, stop=stop, tell=tell, past_ttl=past_ttl, expiry=expiry, written=written
            )

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
        if self._task is not None and self._task.view_digest != self._view_digest:
            task_row.note_view(self._clients.checkpoints(), self._settings.task_table, self._view_digest)

    def _leases(self) -> list[Lease]:
        return leases.read(self._clients.checkpoints(), self._settings.checkpoint_table) or []

    def _copy(
        self,
        held: CopyLock,
        *,
        outage: Outage,
        stop: threading.Event,
        tell: Tell,
        past_ttl: PastTtl,
        expiry: Expiry,
        written: Callable[[int, float], None],
    ) -> CopyReport:
        began, copy = time.monotonic(), held.copy
        retry = Retry(retry_policy.COMMAND, stop, outage)
        states = retry(lambda: copy_rows.claim(self._clients.checkpoints(), self._settings.task_table, copy))
        totals = Totals(states)
        meters = Meters.of(self._settings, self._source, self._destination, stop=stop)
        context = assemble(
            self._settings,
            self._clients,
            held,
            self._source,
            meters=meters,
            outage=outage,
            stop=stop,
            past_ttl=past_ttl,
            expiry=expiry,
            view=self.view,
            written=totals.add,
        )

        deadline = CopyDeadline(copy, lambda: leases.begun(self._leases()))

        def say() -> None:
            deadline.check()
            written(totals.planned - totals.planned_before, meters.writing.consumed)
            tell(totals.passed, copy.expected_items, f"{totals.size_bytes / 1e6:,.0f} MB  {meters.words}")

        works = [
            SegmentCopy(Segment(segment.number, copy.segments), segment, context).run
            # First what may be wrong at the destination now.
            for segment in sorted(states, key=lambda segment: not segment.in_hand)
            if segment.in_hand or not segment.done
        ]
        WorkerGroup(stop, tick=say).run(works, threads=min(self._settings.threads, copy.segments), name="copy")
        retry(
            lambda: held.change(
                state="done",
                finished_ms=int(time.time() * 1000),
                items=totals.items,
                size_bytes=totals.size_bytes,
                expired=totals.expired,
                filtered=totals.filtered,
            )
        )
        if proves_view(self._settings, copy):
            retry(self._note_view)
        return CopyReport(
            items=totals.items,
            size_bytes=totals.size_bytes,
            items_before=totals.items_before,
            set_aside=totals.set_aside,
            expired=totals.expired,
            filtered=totals.filtered,
            seconds=round(time.monotonic() - began, 3),
            read_units=meters.reading.consumed,
            write_units=meters.writing.consumed,
            throttles=meters.limit.throttles,
            concurrent=copy.concurrent,
            replicating=deadline.replicating(),
            onto_items=copy.onto_items,
            started_ms=copy.started_ms,
        )


def proves_view(settings: Settings, copy: CopyState) -> bool:
    """Whether all items at the destination are as these settings make them once the copy is done.

    Where it held items before, there may be some that nothing would be written of now.
    """
    leaves_out = settings.filter is not None or settings.transform is not None
    return not (copy.onto_items and leaves_out)


def _cannot_go_on(reason: str) -> NotReadyError:
    return NotReadyError(f"This task's copy can't go on: {reason}. Nothing was copied now. Begin anew with --restart.")
