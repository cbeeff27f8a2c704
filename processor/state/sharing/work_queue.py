"""Gives the threads of one process parts of shared work, one by one, that no other process is at.

Which are free is read, and may be out of date: so a part is taken on the condition that it is still held by whom it was
seen to be held. The rows of parts are read first and the members after them. So a holder that is no member then had
joined before, and has left or was removed since: it works no more.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from processor.errors import StoppedError
from processor.flow.chance import CHANCE
from processor.flow.retry import Retry
from processor.state.sharing.work import Work

# What is left of a part.
P = TypeVar("P")

# When nothing is free, others are at work: how often is looked whether they are through, or gone.
FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 2.0
# So many in a row that others have taken say that what was read is old.
_MOST_MISSED = 3


class Free(NamedTuple):
    """A part that nobody is at, and who was seen to hold it."""

    number: int
    seen: str


@dataclass(frozen=True, slots=True)
class Standing(Generic[P]):
    """How the work stands: what is left of it, by number, and who holds that."""

    left: Mapping[int, P]
    holders: Mapping[int, str]

    def free(self, members: set[str], *, first: Callable[[P], bool] = lambda _: False) -> list[Free]:
        """What nobody is at, in an order of chance.

        :param first: whether a part comes before the others
        """
        numbers = [number for number in self.left if self.holders.get(number, "") not in members]
        CHANCE.shuffle(numbers)  # so that processes which begin together don't want the same
        numbers.sort(key=lambda number: not first(self.left[number]))
        return [Free(number, self.holders.get(number, "")) for number in numbers]


class Shared(Protocol[P]):
    """The work, as one of its members sees it."""

    def standing(self) -> Standing[P]:
        """What is left."""

    def others(self) -> Work:
        """The work's row now; see ``Member``."""

    def take(self, number: int, *, seen: str) -> P | None:
        """Take a part; None if another process was faster, or nothing is left of it."""

    def may_write(self) -> None:
        """See ``Member``."""

    def first(self, part: P) -> bool:
        """Whether a part comes before the others."""


class WorkQueue(Generic[P]):
    """Any number of threads may share it.

    :param retry: makes its calls again
    """

    def __init__(self, member: Shared[P], retry: Retry) -> None:
        self._member = member
        self._retry = retry
        self._lock = threading.Lock()
        self._free: deque[Free] = deque()
        self._missed = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._finished = threading.Event()

    def next(self) -> P | None:
        """A part that is this process's from now on; None once all are done, whoever has done them.

        :raises StoppedError: the stop came first
        :raises TakenError: the work was begun anew, or this process is no member any more
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
        """A part of this process is done: it may have been the last."""
        self._finished.set()

    def _take(self, free: Free) -> P | None:
        left = self._retry(lambda: self._member.take(free.number, seen=free.seen))
        self._missed = self._missed + 1 if left is None else 0
        if left is not None:
            self._pause = FIRST_PAUSE_SECONDS
        return left

    def _look(self) -> bool:
        """Read what is free; returns whether all is done."""
        self._finished.clear()
        standing = self._retry(self._member.standing)
        row = self._retry(self._member.others)
        self._free = deque(standing.free(set(row.members or {}), first=self._member.first))
        self._missed = 0
        return not standing.left or row.state == "done"

    def _wait(self) -> None:
        self._member.may_write()  # or this process would wait for its own parts, which others have taken
        self._finished.wait(self._pause)
        self._pause = min(self._pause * 2, LAST_PAUSE_SECONDS)
        if self._retry.stop.is_set():
            raise StoppedError
