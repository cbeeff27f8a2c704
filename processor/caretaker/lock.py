"""Sees that one caretaker of a fleet works for a task: it holds a lock with a term, in the task's own table.

::

    t=0        5         10        15        20        25
    holder  beat     beat     (dies)
    holder may act until 15 s after its last beat: ─────────┤ (10 + 15)
    another has seen the beat stand still for 20 s ──────────────▶ takes over

So two never act at once, except for a call that was begun within the term and lasts past it. What caretakers do
survives that: a copy is shared by whoever runs it, and a comparison changes nothing that is equal.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processor.errors import CareTakenError, ReplicatorError, UnavailableError
from processor.state import care_row
from processor.state.care_row import CareRow
from processor.system import process_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BEAT_SECONDS = 5.0
TERM_SECONDS = 15.0
# Longer than the term, by more than a call takes.
WATCH_SECONDS = 20.0


class CareLock:
    """The lock, for one caretaker. One thread seeks it and notes; a thread of its own beats while it is held.

    :param connect: makes a client of the task table
    :param failed: called with each failure to beat
    """

    def __init__(
        self,
        connect: Callable[[], DynamoDBClient],
        table: str,
        *,
        failed: Callable[[UnavailableError], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._connect = connect
        self._table = table
        self._failed = failed
        self._clock = clock
        self._wall = wall
        self._id = ""
        self._row: CareRow | None = None
        self._beaten = (float("-inf"), float("-inf"))
        self._seen: tuple[str, int, float] | None = None
        self._left = threading.Event()
        # Held for a write and for what is kept of its answer: both threads keep them in the order of the writes.
        self._writing = threading.Lock()

    @property
    def is_held(self) -> bool:
        """Whether this caretaker may act now."""
        monotonic, wall = self._beaten
        # The monotonic clock stands still while the machine is suspended; the other may be set back.
        return max(self._clock() - monotonic, self._wall() - wall) < TERM_SECONDS

    @property
    def row(self) -> CareRow:
        """The row as it was stored last; only while the lock is held."""
        return self._row or CareRow()

    def seek(self) -> bool:
        """Look once whether anybody holds it, and take it if nobody does; returns whether it is held here now.

        :raises UnavailableError: the row can't be read or written now
        """
        if self.is_held:
            return True
        found = care_row.read(self._connect(), self._table)
        if found is not None and found.holder and not self._is_over(found):
            return False
        return self._take(found)

    def _is_over(self, found: CareRow) -> bool:
        """Whether its holder works no more, by what was seen of it so far."""
        now = self._clock()
        if self._seen is None or self._seen[:2] != (found.holder, found.beat):
            self._seen = found.holder, found.beat, now
        return now - self._seen[2] >= WATCH_SECONDS or process_name.is_gone(found.host)

    def _take(self, found: CareRow | None) -> bool:
        with self._writing:
            self._left.set()  # a thread that still beats for an earlier term
            self._id = uuid.uuid4().hex
            began = (self._clock(), self._wall())
            try:
                self._row = care_row.take(
                    self._connect(),
                    self._table,
                    holder=self._id,
                    host=process_name.here(),
                    seen=found,
                    now_ms=int(began[1] * 1000),
                )
            except CareTakenError:
                return False
            self._seen = None
            self._beaten = began
            self._left = threading.Event()
            threading.Thread(target=self._beat, args=(self._id, self._left), name="care-beat", daemon=True).start()
        return True

    def _beat(self, holder: str, left: threading.Event) -> None:
        while not left.wait(BEAT_SECONDS):
            with self._writing:
                if left.is_set():
                    return
                began = (self._clock(), self._wall())
                try:
                    self._row = care_row.beat(self._connect(), self._table, holder=holder, now_ms=int(began[1] * 1000))
                except UnavailableError as exc:
                    self._failed(exc)
                except ReplicatorError:
                    self._lose()
                else:
                    self._beaten = began

    def _lose(self) -> None:
        self._left.set()
        self._beaten = (float("-inf"), float("-inf"))

    def note(self, **parts: Any) -> CareRow:
        """Store parts of the row, by the names of ``CareRow``'s fields; None removes one.

        :raises CareTakenError: another caretaker has taken over
        :raises UnavailableError: it can't be stored now
        """
        with self._writing:
            if not self.is_held:
                raise CareTakenError(self._table)
            try:
                self._row = care_row.note(self._connect(), self._table, holder=self._id, parts=parts)
            except CareTakenError:
                self._lose()
                raise
            return self._row

    def leave(self) -> None:
        """Give it up, so that another caretaker takes it at its next look."""
        with self._writing:
            was_held = self.is_held
            self._lose()  # also where the term is over: a beat that works again would keep others waiting
            if not was_held:
                return
            try:
                care_row.leave(self._connect(), self._table, holder=self._id)
            except ReplicatorError:
                return  # then others see it by the beat
