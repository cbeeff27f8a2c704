"""Gives the threads of one process segments of a copy, one by one, that no other process works on.

Which are free is read, and may be out of date: so a segment is taken on the condition that it is still held by whom it
was seen to be held. The rows of segments are read first and the members after them. So a holder that is no member then
had joined before, and has left or was removed since: it works no more.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from typing import NamedTuple

from processor.commands.copy.member import Member
from processor.errors import StoppedError
from processor.flow.retry import Retry
from processor.state.copy_rows import CopyState, SegmentRow, SegmentState

# When nothing is free, others are at work: how often is looked whether they are through, or gone.
FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 2.0
# So many in a row that others have taken say that what was read is old.
_MOST_MISSED = 3


class _Free(NamedTuple):
    number: int
    seen: str


class Standing(NamedTuple):
    """How a copy stands: what is left of it, by number, and who holds that."""

    left: dict[int, SegmentState]
    holders: dict[int, str]

    @classmethod
    def of(cls, copy: CopyState, rows: list[SegmentRow]) -> Standing:
        """By the rows of all segments."""
        stored = {row.number: row for row in rows}
        left: dict[int, SegmentState] = {}
        for number in {*range(copy.segments), *stored}:
            row = stored.get(number) or SegmentRow(number=number, holder="", copy_id="", state=None)
            if (state := row.left_of(copy)) is not None:
                left[number] = state
        return cls(left, {number: stored[number].holder for number in left if number in stored})

    def free(self, members: set[str]) -> list[_Free]:
        """What nobody works on: first what may be wrong at the destination now, the others by chance."""
        numbers = [number for number in self.left if self.holders.get(number, "") not in members]
        random.shuffle(numbers)  # so that processes which begin together don't want the same
        numbers.sort(key=lambda number: not self.left[number].in_hand)
        return [_Free(number, self.holders.get(number, "")) for number in numbers]


class SegmentQueue:
    """Any number of threads may share it.

    :param retry: makes its calls again
    """

    def __init__(self, member: Member, retry: Retry) -> None:
        self._member = member
        self._retry = retry
        self._lock = threading.Lock()
        self._free: deque[_Free] = deque()
        self._missed = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._finished = threading.Event()

    def next(self) -> SegmentState | None:
        """A segment that is this process's from now on; None once all are done, whoever has done them.

        :raises StoppedError: the stop came first
        :raises CopyTakenError: the copy was begun anew, or this process is no member any more
        """
        with self._lock:  # the others want the same
            while True:
                while self._free and self._missed < _MOST_MISSED:
                    taken = self._take(self._free.popleft())
                    if taken is not None:
                        return taken
                if self._look():
                    return None
                if not self._free:
                    self._wait()

    def finished(self) -> None:
        """A segment of this process is done: it may have been the last."""
        self._finished.set()

    def _take(self, free: _Free) -> SegmentState | None:
        row = self._retry(lambda: self._member.take(free.number, seen=free.seen))
        left = None if row is None else row.left_of(self._member.copy)
        self._missed = self._missed + 1 if left is None else 0
        if left is not None:
            self._pause = FIRST_PAUSE_SECONDS
        return left

    def _look(self) -> bool:
        """Read what is free; returns whether all is done."""
        self._finished.clear()
        standing = Standing.of(self._member.copy, self._retry(self._member.rows))
        row = self._retry(self._member.others)
        self._free = deque(standing.free(set(row.members or {})))
        self._missed = 0
        return not standing.left or row.state == "done"

    def _wait(self) -> None:
        self._member.may_write()  # or this process would wait for its own segments, which others have taken
        self._finished.wait(self._pause)
        self._pause = min(self._pause * 2, LAST_PAUSE_SECONDS)
        if self._retry.stop.is_set():
            raise StoppedError
