"""One process's part in a copy that any number of processes on any machines work on together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.commands.copy import standing
from processor.errors import CopyTakenError, UnavailableError
from processor.state import copy_members, copy_rows
from processor.state.copy_rows import CopyState, SegmentRow, SegmentState
from processor.state.sharing import member
from processor.state.sharing.work_queue import Standing
from processor.system import process_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Member(member.Member[CopyState]):
    """Works on a copy for as long as the context is entered, after ``join``. Implements ``work_queue.Shared``.

    See ``sharing/member.py``, also for what it is given, and for what its methods raise.
    """

    def __init__(
        self,
        connect: Callable[[], DynamoDBClient],
        table: str,
        copy: CopyState,
        *,
        stop: threading.Event,
        failed: Callable[[UnavailableError], None],
        counted: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(connect, table, copy_rows.ROWS, copy, stop=stop, failed=failed, counted=counted, clock=clock)

    @property
    def copy(self) -> CopyState:
        """The copy's row, held by this member."""
        return self.work

    def _joined(self) -> CopyState:
        return copy_members.join(self._connect(), self._table, self.work, member=self.id, host=process_name.here())

    def rows(self) -> list[SegmentRow]:
        """All rows of segments.

        :raises UnavailableError: they can't be read now
        """
        return copy_rows.read_rows(self._connect(), self._table)

    def standing(self) -> Standing[SegmentState]:
        """What is left of the copy.

        :raises UnavailableError: the rows can't be read now
        """
        return standing.standing(self.copy, self.rows())

    def first(self, part: SegmentState) -> bool:
        """Whether something may be wrong at the destination now."""
        return bool(part.in_hand)

    def take(self, number: int, *, seen: str) -> SegmentState | None:
        """Take a segment; None if another process was faster, or nothing is left of it.

        :param seen: who was seen to hold it, and is no member any more
        :raises UnavailableError: it can't be stored now
        """
        self.may_write()
        try:
            return copy_rows.take(self._connect(), self._table, self.copy, number, seen=seen).left_of(self.copy)
        except CopyTakenError:
            return None

    def save(self, segment: SegmentState) -> None:
        """Store the position at which a segment is resumed.

        :raises CopyTakenError: another process goes on with it
        :raises UnavailableError: it can't be stored now
        """
        copy_rows.save(self._connect(), self._table, self.copy, segment)
