"""Reads keys that seem to differ again, until it is known whether they do.

Tables are compared while they are written to, and the destination lags behind. So a key counts only if

1. it differs at each of several reads, all strongly consistent, with growing pauses in which replication catches up;
2. its source item was the same at the last two reads: the destination had the whole last pause to become equal.

A key whose source item changed between all reads is ``changing``: neither equal nor different.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from processor.commands.verify.diff import differences
from processor.commands.verify.digests import Role
from processor.commands.verify.judge import Judge
from processor.commands.verify.marked import StateOf
from processor.commands.verify.repair import Tell
from processor.commands.verify.report import Found, PathDifference, Results, Verdict
from processor.commands.verify.table_side import TableSide
from processor.dynamodb.item_view import UNSEEN
from processor.dynamodb.keys import identity_of
from processor.flow.retry import Retry
from processor.flow.worker_group import TICK_SECONDS, WorkerGroup

if TYPE_CHECKING:
    import msgspec

# Keys that are read together, and the number of such groups at once. A group's keys share its pauses. Together they
# limit what is kept in memory.
LOT = 5_000
_LOTS = 4


def pause_seconds(number: int) -> float:
    """The wait before repeated read ``number``, counted from 1: 1 s, 2 s, 4 s, up to a minute."""
    return min(60.0, 2.0 ** (number - 1))


@dataclass(slots=True)
class _Candidate:
    """A key that seems to differ; ``hashes`` are those of its items at the last read, as far as they are compared."""

    identity: bytes
    key: msgspec.Raw
    hashes: tuple[int | None, int | None] = (None, None)
    at_rest: bool = False


class _Look(NamedTuple):
    candidate: _Candidate
    source: msgspec.Raw | None
    destination: msgspec.Raw | None


class Recheck:
    """Takes keys that seem to differ from any number of threads, and rechecks them in threads of its own.

    :param judge: decides about keys that were read in both tables
    :param looks: how many more times a key is read
    :param repair: called with keys that differ, and with the function that reports them and the result
    :param values: also report the values at the places that differ, and the items that only one table has
    :param pause: see ``pause_seconds``
    :param state_of: of a two-way task, what the destination's item says of who has written it; both tables are written
        then, so a key counts only if neither has changed between the last two reads
    """

    def __init__(
        self,
        source: TableSide,
        destination: TableSide,
        *,
        judge: Judge,
        looks: int,
        results: Results,
        workers: WorkerGroup,
        retry: Retry,
        repair: Callable[[list[Found], Tell], None] = lambda found, tell: tell(found),
        values: bool = False,
        pause: Callable[[int], float],
        state_of: StateOf | None = None,
    ) -> None:
        self._state_of = state_of
        self._source = source
        self._destination = destination
        self._form = judge.form
        self._judge = judge
        self._looks = looks
        self._results = results
        self._workers = workers
        self._retry = retry
        self._repair = repair
        self._values = values
        self._pause = pause
        self._lock = threading.Lock()
        self._waiting: list[_Candidate] = []
        self._role: Role = "source"
        self._is_closed = False
        self._free = threading.BoundedSemaphore(_LOTS)
        self._pool = ThreadPoolExecutor(_LOTS, thread_name_prefix="verify-recheck")

    @property
    def is_full(self) -> bool:
        """Whether no more keys are to be added for now."""
        return len(self._waiting) >= LOT

    def add(self, role: Role, keys: Sequence[msgspec.Raw]) -> None:
        """Take keys that seem to differ; whoever adds them waits while it ``is_full``.

        :param role: the table whose scan has found them; the other's come after ``finish``
        """
        with self._lock:
            self._role = role
            self._waiting += [_Candidate(identity_of(key), key) for key in keys]
        self._begin(LOT)

    def finish(self) -> None:
        """Wait until all keys are done; others may be added after that.

        :raises ReplicatorError: the workers have stopped before
        """
        while self._waiting:
            self._begin(1)
            if self._waiting:
                self._acquire()
                self._free.release()
        for _ in range(_LOTS):
            self._acquire()
        self._free.release(_LOTS)
        self._workers.check()

    def close(self) -> None:
        """End the threads."""
        self._is_closed = True
        self._pool.shutdown()

    def _begin(self, fewest: int) -> None:
        """Begin lots while there are enough keys and a thread is free for them."""
        while len(self._waiting) >= fewest and not self._is_closed and self._free.acquire(blocking=False):
            with self._lock:
                lot, self._waiting = self._waiting[:LOT], self._waiting[LOT:]
            self._pool.submit(self._workers.do, partial(self._settle, self._role, lot)).add_done_callback(
                lambda _: self._ended()
            )

    def _ended(self) -> None:
        self._free.release()
        self._begin(LOT)

    def _acquire(self) -> None:
        while not self._free.acquire(timeout=TICK_SECONDS):
            self._workers.tick()
            self._workers.check()

    def _settle(self, role: Role, candidates: list[_Candidate]) -> None:
        """Runs in the pool: read, pause, and read again those that still differ."""
        for number in range(self._looks):
            candidates = [look.candidate for some in self._look(role, candidates) for look in some]
            if not candidates:
                return
            self._retry.pause(self._pause(number + 1))
        for some in self._look(role, candidates, is_last=True):
            found = []
            for look in some:
                if self._looks and not look.candidate.at_rest:
                    self._results.changing()
                elif (outcome := _outcome(look)) != "extra" or role == "destination":  # else its own scan finds it
                    found.append(self._found(outcome, look))
            self._repair(found, self._results.found)

    def _look(self, role: Role, candidates: Sequence[_Candidate], *, is_last: bool = False) -> Iterator[list[_Look]]:
        """The keys that differ, some at a time; all others are equal, or gone from both tables.

        The destination is read first. Then, if the source's item has not changed by its own read, it had not changed
        when the destination was read either. The other way round, a change between the two reads that was replicated at
        once would look like a difference.

        Where a table's scan has found a key, one answer that lacks it is not believed: it would be gone from both
        tables, or be the other scan's to find. Nor is one at the last look, for what is found then is told.
        """
        by_identity = {each.identity: each for each in candidates}
        for keys in self._source.chunks([(each.identity, each.key) for each in candidates]):
            theirs, ours = (
                side.items_insisted(keys) if is_last or side.role == role else side.items_of(keys)
                for side in (self._destination, self._source)
            )
            differing = []
            for identity in keys:
                candidate, image, other = by_identity[identity], ours.get(identity), theirs.get(identity)
                hashes = (self._form.hash(image), self._form.hash(other) if self._state_of else None)
                candidate.at_rest = hashes == candidate.hashes
                candidate.hashes = hashes
                if self._judge.differs(role, candidate.key, image, other):
                    differing.append(_Look(candidate, image, other))
            yield differing

    def _found(self, outcome: Verdict, look: _Look) -> Found:
        places = []
        if outcome == "different" and look.source is not None and look.destination is not None:
            places = [
                PathDifference.of(each, values=self._values)
                for each in differences(look.source, look.destination, ignored=self._form.ignored)
            ]
        marker = None
        if self._state_of is not None and look.destination is not None:
            marker = self._state_of(look.candidate.identity, look.destination)
        item = {"missing": look.source, "extra": look.destination}.get(outcome) if self._values else None
        return Found(outcome=outcome, key=look.candidate.key, paths=places, marker=marker, item=item)


def _outcome(look: _Look) -> Verdict:
    if look.destination is None:
        return "missing"
    return "extra" if look.source is None or look.source is UNSEEN else "different"


def identified(side: TableSide, items: Sequence[msgspec.Raw]) -> list[tuple[bytes, msgspec.Raw]]:
    """The keys of items, with their identities."""
    return [(identity_of(key), key) for key in map(side.key_of, items)]
