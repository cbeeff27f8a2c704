"""Answers KCL's calls for one shard: decode → plan → apply → checkpoint.

kclpy swallows any exception of these methods and answers "done", after which a later checkpoint would pass the batch
for good. So nothing but ``SystemExit`` leaves them: the daemon sees its child end without an answer, and stops.

A batch that can't be applied for a reason of its own stops this shard alone: it is given up, unapplied, and read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, Protocol, TypeVar

import msgspec
from amazon_kclpy.v3 import processor as v3

from processor.dynamodb.item_view import View
from processor.dynamodb.record_times import RecordTimes
from processor.errors import (
    CheckpointError,
    DaemonGoneError,
    HeldError,
    LeaseLostError,
    MalformedRecordError,
    ReplicatorError,
    StoppedByRefusalError,
)
from processor.flow import shapes
from processor.flow.retry_policy import RECORDS, RetryPolicy
from processor.replication.apply import Applier, Outcome
from processor.replication.change import Change
from processor.replication.checkpoint import Checkpoint
from processor.replication.meter import Meter, NoMeter
from processor.replication.record_counts import RecordCounts
from processor.replication.stream_record import decode
from processor.replication.two_way.marker import Markers
from processor.reporting.logs import Log

SUMMARY_SECONDS = 60.0
# KCL hears of a lost lease at its next renewal, so it hands over no more records soon after.
_LEASE_LOST_SECONDS = 60.0

_Input = TypeVar("_Input")


class Standstill(Protocol):
    """Is told how far a shard has come and what stops it; ``standstill.Standstill`` implements it."""

    def begun(self, sequence_number: str) -> None:
        """A batch is in hand, which ends with this change."""

    def applied(self) -> None:
        """All of it is."""

    def read_again(self, held: HeldError, cut_short: Event) -> None:
        """Give the shard up, and have it read again."""


class NoStandstill:
    """Where nobody has to know."""

    def begun(self, sequence_number: str) -> None:
        """Nothing."""

    def applied(self) -> None:
        """Nothing."""

    def read_again(self, held: HeldError, cut_short: Event) -> None:  # noqa: ARG002  # the protocol's
        """End."""
        raise held


class Shard(msgspec.Struct, frozen=True):
    """What a record processor works with once it knows its shard.

    ``checkpoint`` is one that the applier knows too; without it, each batch is checkpointed. ``keeps_expired``: what
    TTL has removed stays at the destination. ``spoke``: the markers of a two-way task, if it reads the spoke's stream.
    ``counts``: None where nothing is counted.
    """

    applier: Applier
    log: Log
    meter: Meter = msgspec.field(default_factory=NoMeter)
    standstill: Standstill = msgspec.field(default_factory=NoStandstill)
    view: View | None = None
    keeps_expired: bool = False
    spoke: Markers | None = None
    checkpoint: Checkpoint | None = None
    counts: RecordCounts | None = None


def _or_exit(method: Callable[[Any, _Input], None]) -> Callable[[Any, _Input], None]:
    """One clear message, then the end of this process; ``method``'s docstring has the rest."""

    def call(self: RecordProcessor, given: _Input) -> None:
        try:
            method(self, given)
        except ReplicatorError as exc:
            self.log.error("stopped", reason=str(exc))
            raise SystemExit(exc.exit_status) from exc
        except Exception as exc:
            reason = (
                "BUG: an unexpected error. Nothing past the last checkpoint is lost; please report the trace below."
            )
            self.log.error("stopped", reason=reason, error=type(exc).__name__, trace=True)
            raise SystemExit(ReplicatorError.exit_status) from exc

    return call


def _decoded(batch: Any, view: View | None, *, keeps_expired: bool, spoke: Markers | None) -> list[Change]:
    """The changes of one record of KCL's, which is a whole batch of the stream's (``Page.java``)."""
    try:
        # Five times as fast as the standard library's base64.
        data = shapes.convert(batch.data, bytes, builtin_types=())
        return decode(data, view, keeps_expired=keeps_expired, spoke=spoke)
    except (MalformedRecordError, msgspec.ValidationError) as exc:
        raise MalformedRecordError(str(exc)) from exc


def _unapplied(sequence_number: str, exc: Exception) -> HeldError:
    """What is said of a batch that can't be applied, whatever it is that can't."""
    is_bug = not isinstance(exc, ReplicatorError)
    fault = f"BUG: an unexpected {type(exc).__name__}" if is_bug else str(exc)
    report = "with the trace below" if is_bug else "with the source table's stream view type"
    message = (
        f"A batch of the stream's records, up to {sequence_number}, can't be applied: {fault.rstrip('.')}. It is read "
        "again every minute, and no checkpoint passes it; the shard goes on by itself as soon as it can be applied. "
        f"Other shards are not held up. If it stays so, please report it, {report}."
    )
    return HeldError(message, code=type(exc).__name__, sequence_number=sequence_number, fault=fault, is_bug=is_bug)


class RecordProcessor(v3.RecordProcessorBase):  # type: ignore[misc]  # kclpy has no types
    """One shard's processor, in a process of its own.

    :param open_shard: makes what a shard needs, given its id
    :param gone: set when the daemon is no longer there
    :param policy: how long to pause between two tries of a checkpoint
    """

    def __init__(
        self,
        open_shard: Callable[[str], Shard],
        *,
        gone: Event,
        log: Log,
        policy: RetryPolicy = RECORDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.log = log
        self._open_shard = open_shard
        self._gone = gone
        self._policy = policy
        self._clock = clock
        self._lost_at: float | None = None
        self._totals = Outcome()
        self._max_lag_ms = 0
        self._times = RecordTimes()
        self._summary_due = clock() + SUMMARY_SECONDS

    @_or_exit
    def initialize(self, initialize_input: Any) -> None:
        """Called once, with the shard and the checkpoint to go on from."""
        shard = self._open_shard(initialize_input.shard_id)
        self._applier, self.log, self._meter = shard.applier, shard.log, shard.meter
        self._standstill, self._view = shard.standstill, shard.view
        self._keeps_expired, self._spoke = shard.keeps_expired, shard.spoke
        self._counts = shard.counts
        self._checkpoint = shard.checkpoint or Checkpoint(
            self.log, gone=self._gone, stored=self._meter.checkpointed, policy=self._policy
        )
        self.log.notice("shard_started", checkpoint=initialize_input.sequence_number)

    @_or_exit
    def process_records(self, process_records_input: Any) -> None:
        """Apply one batch, and checkpoint it if that is due. Returns only when that is done, or the lease is gone.

        The daemon sends an empty batch when the checkpoint of earlier ones is due (``StreamsRecordProcessor.java``).
        """
        records = process_records_input.records
        if self._lost_at is not None:
            if records and self._clock() - self._lost_at > _LEASE_LOST_SECONDS:
                raise LeaseLostError
            return
        self._checkpoint.use(process_records_input.checkpointer)
        if not records:
            self._store(self._checkpoint.store_if_due)
            return
        try:
            changes, outcome = self._apply(records)
        except LeaseLostError:
            self._lose(
                records[-1].sequence_number,
                "The rest of the batch is not written: the shard's next owner applies all of it.",
            )
            return
        # The rule: never anything but the last change applied, and only after all before it.
        self._checkpoint.applied(changes[-1].sequence_number)
        if self._counts is not None:
            self._counts.add(records=outcome.records, filtered=outcome.filtered)
        self._store(self._checkpoint.store_if_due)
        self._count(outcome, changes)

    @_or_exit
    def shard_ended(self, shard_ended_input: Any) -> None:
        """Checkpoint the shard's end, when every record is applied: without that its child shards would never start."""
        self._checkpoint.use(shard_ended_input.checkpointer)
        self._store(self._checkpoint.end)
        self._meter.closed()
        self._summarise()
        self.log.notice("shard_ended")

    @_or_exit
    def lease_lost(self, lease_lost_input: Any) -> None:  # noqa: ARG002  # kclpy's signature
        """Drop what is pending: another worker has the shard now, and moves its checkpoint."""
        self._lost_at = self._clock()
        self._checkpoint.forget()
        self._meter.closed()
        self._summarise()
        self.log.info("lease_lost")

    @_or_exit
    def shutdown_requested(self, shutdown_requested_input: Any) -> None:
        """Store the checkpoint of what is applied: no other batch comes."""
        self._checkpoint.use(shutdown_requested_input.checkpointer)
        self._store(self._checkpoint.store)
        self._meter.closed()
        self._summarise()
        self.log.info("shutdown_requested")

    def _apply(self, records: Sequence[Any]) -> tuple[list[Change], Outcome]:
        """Decode and apply a batch; returns its changes, and what became of them.

        :raises LeaseLostError: the shard is another's, or given up to be read again
        :raises DaemonGoneError, CheckpointError, StoppedByRefusalError: this process is to end
        """
        try:
            changes = [
                change
                for batch in records
                for change in _decoded(batch, self._view, keeps_expired=self._keeps_expired, spoke=self._spoke)
            ]
            self._meter.begun(changes)
            self._standstill.begun(changes[-1].sequence_number)
            began = time.monotonic()
            outcome = self._applier.apply(changes)
        except (LeaseLostError, DaemonGoneError, CheckpointError):
            raise
        except StoppedByRefusalError:
            self._checkpoint.store()
            raise
        except Exception as exc:  # whatever it is, it is this shard's alone
            held = _unapplied(records[-1].sequence_number, exc)
            self._checkpoint.store()
            self._standstill.read_again(held, self._gone)
            raise held from exc
        self._standstill.applied()
        self._meter.applied(changes, outcome, time.monotonic() - began)
        return changes, outcome

    def _store(self, store: Callable[[], None]) -> None:
        if self._lost_at is not None:
            return
        try:
            store()
        except LeaseLostError:
            self._lose(
                self._checkpoint.pending, "Applied but not checkpointed: the shard's next owner applies it again."
            )

    def _lose(self, at: str | None, note: str) -> None:
        self._lost_at = self._clock()
        self._checkpoint.forget()
        self._meter.closed()
        self.log.notice("lease_lost", at=at, note=note)

    def _count(self, outcome: Outcome, changes: list[Change]) -> None:
        self._totals += outcome
        if changes[0].created_ms:
            self._times.see(changes[0].created_ms / 1000)
            self._max_lag_ms = max(self._max_lag_ms, int(self._clock() * 1000) - changes[0].created_ms)
        if self._clock() >= self._summary_due:
            self._summarise()

    def _summarise(self) -> None:
        totals, self._totals = self._totals, Outcome()
        lag_ms, self._max_lag_ms = self._max_lag_ms, 0
        self._summary_due = self._clock() + SUMMARY_SECONDS
        if totals.records:
            self.log.info(
                "applied",
                records=totals.records,
                puts=totals.puts,
                deletes=totals.deletes,
                coalesced=totals.coalesced,
                moot=totals.moot,
                filtered=totals.filtered or None,  # only where there are any
                echoes=totals.echoes or None,
                set_aside=totals.set_aside,
                max_lag_ms=lag_ms,
                lag_about=self._times.rounded or None,  # a field only where it is true
            )
