"""One process's part in work that any number of processes on any machines do together.

Each process is a member (``work_rows.py``), counts its beat up every two seconds, and writes only while its last beat
is young. What a beat answers has all members, so each process also sees who else works:

1. A member whose beat has stood still for longer than its writes can last is removed, by whoever sees it first, and at
   once where it can be told that its process has ended. What it held is then free.
2. A member that finds itself removed writes nothing more.
3. Limits of units are shared evenly by the members.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Generic

import msgspec

from processor.errors import ReplicatorError, StoppedError, TakenError, UnavailableError
from processor.flow import retry_policy
from processor.flow.retry_limit import RetryLimit
from processor.state.sharing import watch
from processor.state.sharing.work_rows import W, WorkRows
from processor.system import process_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

_WAIT_SECONDS = 0.05
# How the ids of those begin that only wait; no others do.
_WAITING = "waits-"


def _working(members: Iterable[str]) -> int:
    return sum(not name.startswith(_WAITING) for name in members)


class Member(Generic[W]):
    """Is at the work for as long as the context is entered, after ``join``.

    A kind of work has a class of its own, which says where its rows are.

    :cvar work_rows: those of this kind of work
    :param connect: makes the task table's client
    :param work: its row
    :param failed: called with each failure to beat
    :param counted: called with the number of members that work, after each beat
    :param waits: it only waits for the others, and uses nothing of what they share
    :ivar id: the member's own
    """

    work_rows: WorkRows[W]

    def __init__(
        self,
        connect: Callable[[], DynamoDBClient],
        table: str,
        work: W,
        *,
        stop: threading.Event,
        failed: Callable[[UnavailableError], None],
        counted: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        waits: bool = False,
    ) -> None:
        # Short, for each beat of each member is charged by the size of all of them.
        self.id = (_WAITING if waits else "") + uuid.uuid4().hex[:16]
        self.work = msgspec.structs.replace(work, holder=self.id)
        self._connect = connect
        self._table = table
        self._stop = stop
        self._failed = failed
        self._counted = counted
        self._clock = clock
        self._left = threading.Event()
        # Of its own: while the tables answer, and only the beats fail, the work stands still all the same.
        self._limit = RetryLimit(retry_policy.COPY)
        self._error: BaseException | None = None
        self._beaten = (float("-inf"), float("-inf"))
        self._seen: dict[str, tuple[int, float]] = {}
        self._thread = threading.Thread(target=self._beat, name="work-beat", daemon=True)

    def join(self) -> bool:
        """Become a member; returns False if others have finished the work meanwhile.

        :raises TakenError: it is another one now, or one that is done in another way
        :raises UnavailableError: it can't be stored now
        """
        began = (self._clock(), time.time())
        try:
            row = self._joined()
        except TakenError:
            found = self.work_rows.read(self._connect(), self._table)
            if found is not None and (found.id, found.state) == (self.work.id, "done"):
                return False
            if found is None or found.id != self.work.id or self.id not in (found.members or {}):
                raise
            row = found  # only the answer was lost
        self._beaten = began
        self._counted(_working(row.members or {}))
        return True

    def _joined(self) -> W:
        return self.work_rows.join(self._connect(), self._table, self.work, member=self.id, host=process_name.here())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()
        if not isinstance(self._error, TakenError):
            try:
                self._leave()
            except ReplicatorError:
                return  # then the others see it

    def _leave(self) -> None:
        self.work_rows.leave(self._connect(), self._table, self.work, member=self.id)

    def others(self) -> W:
        """The work's row now, with all members.

        :raises TakenError: it was begun anew, or the others have removed this one
        :raises UnavailableError: it can't be read now
        """
        row = self.work_rows.read(self._connect(), self._table)
        if row is None or row.id != self.work.id or self.id not in (row.members or {}):
            raise self.work_rows.taken(self._table)
        return row

    def may_write(self) -> None:
        """Return if this stays a member for as long as a call takes; wait while that can't be known.

        :raises TakenError: the others have removed it
        :raises StalledError: it could not be known for too long
        :raises RefusedError: it can never be known
        :raises StoppedError: the stop came while it could not be known
        """
        while True:
            if (error := self._error) is not None:
                raise error
            monotonic, wall = self._beaten
            # The monotonic clock stands still while the machine is suspended; the other may be set back.
            if max(self._clock() - monotonic, time.time() - wall) < watch.TERM_SECONDS:
                return
            if self._stop.wait(_WAIT_SECONDS):
                raise StoppedError

    def _beat(self) -> None:
        while not self._left.wait(watch.BEAT_SECONDS):
            try:
                self.beat()
            except TakenError as exc:
                self._error = exc
                return  # whoever wants to write is told
            except BaseException as exc:  # noqa: BLE001  # the same
                self._error = exc

    def beat(self) -> None:
        """Show that this process works, and see who else does.

        :raises TakenError: the others have removed it
        :raises StalledError: nothing could be stored for too long
        """
        began = (self._clock(), time.time())
        try:
            row = self.work_rows.beat(self._connect(), self._table, self.work, member=self.id)
            self._beaten = began
            row = self._remove_dead(row)
        except UnavailableError as exc:
            self._failed(exc)
            self._limit.failed(exc)
        else:
            self._limit.succeeded()
            self._counted(_working(row.members or {}))

    def _remove_dead(self, row: W) -> W:
        """Remove those that work no more; returns the row without them."""
        now, members = self._clock(), dict(row.members or {})
        members.pop(self.id, None)
        self._seen = {name: seen for name, seen in self._seen.items() if name in members}
        for name, member in members.items():
            beat, since = self._seen.get(name, (-1, now))
            if beat != member.beat:
                self._seen[name] = member.beat, now
                since = now
            if now - since >= watch.WATCH_SECONDS or process_name.is_gone(member.host):
                try:
                    row = self.work_rows.remove(
                        self._connect(), self._table, self.work, member=name, seen_beat=member.beat
                    )
                except TakenError:
                    continue  # it works, or another process was faster
        return row
