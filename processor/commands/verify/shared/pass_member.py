"""One process's part in a verification that any number of processes on any machines make together."""

from __future__ import annotations

import contextlib

from processor.errors import VerifyTakenError
from processor.state import pass_rows
from processor.state.pass_rows import PartRow, PassState
from processor.state.sharing.member import Member
from processor.state.sharing.work_queue import Standing
from processor.system import process_name


class PassMember(Member[PassState]):
    """Is at it for as long as the context is entered, after ``join``. Implements ``work_queue.Shared`` for numbers.

    See ``sharing/member.py``, also for what it is given, and for what its methods raise.
    """

    work_rows = pass_rows.ROWS

    def rows(self) -> list[PartRow]:
        """Those of the pass's parts that were begun.

        :raises UnavailableError: they can't be read now
        """
        return [row for row in pass_rows.read_parts(self._connect(), self._table) if row.pass_id == self.work.id]

    def standing(self) -> Standing[int]:
        """Which parts are left.

        :raises UnavailableError: the rows can't be read now
        """
        # What an earlier pass has left there may be taken from its holder, too.
        rows = {row.number: row for row in pass_rows.read_parts(self._connect(), self._table)}
        done = {row.number for row in rows.values() if row.pass_id == self.work.id and row.found is not None}
        left = {number: number for number in range(self.work.parts) if number not in done}
        return Standing(left, {number: rows[number].holder for number in left if number in rows})

    def first(self, _: int) -> bool:
        """Whether a part comes before the others: none does."""
        return False

    def take(self, number: int, *, seen: str) -> int | None:
        """Take a part; None if another process was faster.

        :param seen: who was seen to hold it, and is no member any more
        :raises UnavailableError: it can't be stored now
        """
        self.may_write()
        try:
            pass_rows.take(self._connect(), self._table, self.work, number, seen=seen)
        except VerifyTakenError:
            return None
        return number

    def save(self, part: PartRow) -> None:
        """Store what was found in a part.

        :raises VerifyTakenError: another process has taken it over
        :raises UnavailableError: it can't be stored now
        """
        pass_rows.save(self._connect(), self._table, self.work, part)

    def _leave(self) -> None:
        """Leave; the last one deletes what is stored of the pass."""
        client = self._connect()
        row = pass_rows.ROWS.leave(client, self._table, self.work, member=self.id)
        if not all(process_name.is_gone(each.host) for each in (row.members or {}).values()):
            return
        with contextlib.suppress(VerifyTakenError):  # somebody has joined it, who then is the last
            pass_rows.delete(client, self._table, before=row)
            pass_rows.sweep(client, self._table, self.rows())
