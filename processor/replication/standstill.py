"""Tells the log, the task table, the daemon and the metrics what keeps one shard from going on.

A shard *is held* where a person has to see to something: its batch is kept, nothing past it is checkpointed, and the
same is tried again every minute. It *fails* where the destination has not taken its writes for a while, which may pass.

::

    refused ──▶ said, held ── a minute ──▶ tried again ── refused ──▶ held, said ever more rarely ──▶ accepted: over
                    └─ the lease is lost or given up meanwhile: the shard's next child meets the same change
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from processor.errors import HeldError
from processor.flow.retry_policy import HELD
from processor.reporting.logs import Log
from processor.state.hold_files import HoldFiles, Waiting
from processor.state.holds import Hold, Kind

# So soon it is seen that the lease is lost, as by a daemon that stops.
LOOK_SECONDS = 1.0


class Rows(Protocol):
    """Rows of the task table, by which other machines see a hold; ``hold_rows.HoldRows`` implements it."""

    def set(self, kind: Kind, hold: Hold | None) -> None:
        """Store a row or remove it, soon."""


class Standstill:
    """The state of one shard. Any thread may report what it has met.

    :param may_write: raises where the shard is no longer ours
    :param held: is told since when the shard has been held, in seconds since the epoch, and 0 where it isn't
    """

    def __init__(
        self,
        shard_id: str,
        *,
        files: HoldFiles,
        rows: Rows,
        may_write: Callable[[], None],
        log: Log,
        held: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shard_id = shard_id
        self._files = files
        self._rows = rows
        self._may_write = may_write
        self._log = log
        self._held = held
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._batch_end = ""
        self._failing_since_ms: int | None = None
        self._refused: dict[str, HeldError] = {}
        # What this daemon's last child left: the hold goes on, or is over with the first batch that is applied.
        self._waiting = files.read()
        files.failing(failing=False)

    def begun(self, sequence_number: str) -> None:
        """A batch is in hand, which ends with this change."""
        self._batch_end = sequence_number

    def applied(self) -> None:
        """All of the batch is."""
        if self._waiting is not None and int(self._waiting.sequence_number) <= int(self._batch_end):
            self._release()

    def failing(self, reason: str | None, seconds: float) -> None:
        """Writes have failed for so many seconds, for this reason; None: they work again."""
        with self._lock:
            if reason is None:
                self._failing_since_ms = None
                self._files.failing(failing=False)
                self._rows.set("outage", None)
                return
            now_ms = int(self._clock() * 1000)
            self._failing_since_ms = self._failing_since_ms or now_ms - int(seconds * 1000)
            self._files.failing(failing=True)
            self._rows.set("outage", self._row("outage", self._failing_since_ms, self._batch_end, reason))

    def wait(self, held: HeldError, cut_short: threading.Event) -> None:
        """Hold the shard at a change, and return when it is to be tried again.

        :raises LeaseLostError, DaemonGoneError: as ``may_write`` does
        :raises HeldError: ``cut_short`` was set
        """
        with self._lock:
            self._refused[held.sequence_number] = held
            self._hold(held)
        self._pause(held, cut_short)

    def _pause(self, held: HeldError, cut_short: threading.Event) -> None:
        due = self._monotonic() + HELD.longest_pause_seconds
        while self._monotonic() < due:
            if cut_short.wait(LOOK_SECONDS):
                raise held
            self._may_write()

    def over(self, held: HeldError) -> None:
        """This change is done, or set aside."""
        with self._lock:
            self._refused.pop(held.sequence_number, None)
            if self._waiting is None or self._waiting.sequence_number != held.sequence_number:
                return
            if self._refused:
                self._hold(next(iter(self._refused.values())))
                return
        self._release()

    def read_again(self, held: HeldError, cut_short: threading.Event) -> None:
        """Give the shard up, so that its next child gets the same records anew; the first time at once.

        What came may have been damaged on its way. Where it is the same again, the shard is held, and read each minute.

        :raises LeaseLostError: it is given up
        :raises DaemonGoneError, HeldError: as ``wait`` does
        """
        with self._lock:
            is_new = self._waiting is None or self._waiting.sequence_number != held.sequence_number
            if is_new:
                self._note(Waiting(sequence_number=held.sequence_number, since_ms=int(self._clock() * 1000), said=0))
        if is_new:
            self._log.warning("read_again", sequence_number=held.sequence_number, reason=held.fault)
        else:
            self.wait(held, cut_short)
        while True:  # a minute is many times what a daemon takes to give a lease up
            self._files.ask_to_be_read_again()
            self._pause(held, cut_short)

    def _hold(self, held: HeldError) -> None:
        """Log the hold if that is due, and store it."""
        now_ms = int(self._clock() * 1000)
        waiting = self._waiting
        if waiting is None or (
            waiting.sequence_number != held.sequence_number and waiting.sequence_number not in self._refused
        ):
            waiting = Waiting(sequence_number=held.sequence_number, since_ms=now_ms, said=0)
        elif waiting.sequence_number != held.sequence_number:
            return  # one change of several is named
        seconds = (now_ms - waiting.since_ms) / 1000
        if waiting.said < (due := HELD.rhythm.due(seconds)):
            waiting = Waiting(sequence_number=waiting.sequence_number, since_ms=waiting.since_ms, said=due)
            others = len(self._refused) - 1
            self._log.error(
                "held",
                trace=held.is_bug,
                **held.fields,
                sequence_number=held.sequence_number,
                seconds=round(seconds),
                others=others if others > 0 else None,
                reason=str(held),
            )
        self._note(waiting)
        self._held(waiting.since_ms / 1000)
        self._rows.set("hold", self._row("hold", waiting.since_ms, held.sequence_number, str(held)))

    def _note(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._files.hold(waiting)

    def _release(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        self._files.release()
        self._held(0.0)
        if waiting.said:
            self._rows.set("hold", None)
            self._log.notice("held_over", seconds=round(self._clock() - waiting.since_ms / 1000))

    def _row(self, kind: Kind, since_ms: int, sequence_number: str, reason: str) -> Hold:
        return Hold(
            kind=kind,
            shard_id=self._shard_id,
            since_ms=since_ms,
            seen_ms=int(self._clock() * 1000),
            sequence_number=sequence_number,
            reason=reason,
        )
