"""One process's part in a copy that any number of processes on any machines work on together."""

from __future__ import annotations

from processor.commands.copy import standing
from processor.errors import CopyTakenError
from processor.state import copy_members, copy_rows
from processor.state.copy_rows import CopyState, SegmentRow, SegmentState
from processor.state.sharing.member import Member
from processor.state.sharing.work_queue import Standing
from processor.system import process_name


class CopyMember(Member[CopyState]):
    """Works on a copy for as long as the context is entered, after ``join``. Implements ``work_queue.Shared``.

    See ``sharing/member.py``, also for what it is given, and for what its methods raise.
    """

    work_rows = copy_rows.ROWS

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
        return standing.standing(self.work, self.rows())

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
            return copy_rows.take(self._connect(), self._table, self.work, number, seen=seen).left_of(self.work)
        except CopyTakenError:
            return None

    def save(self, segment: SegmentState) -> None:
        """Store the position at which a segment is resumed.

        :raises CopyTakenError: another process goes on with it
        :raises UnavailableError: it can't be stored now
        """
        copy_rows.save(self._connect(), self._table, self.work, segment)
