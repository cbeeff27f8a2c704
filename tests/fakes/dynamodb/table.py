"""A destination in memory that fails on request, and notices what a real one would let pass."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import msgspec

from processor.errors import CredentialsError, RefusedError, ThrottledError, UnavailableError
from processor.replication.change import Change, bytes_of
from processor.replication.plan import MAX_ITEMS_PER_CALL
from processor.replication.writer import OTHER
from tests.fakes.patience import PATIENCE_SECONDS

# ok: done. throttle: not done. unanswered: done, but the answer is lost. unprocessed: only the first is done.
# credentials: refused until renewed. denied: AWS knows who calls, and denies it.
# killed: half of it is done, then this process dies.
Fault = Literal["ok", "throttle", "unanswered", "unprocessed", "credentials", "denied", "killed"]

# So that what would go on for ever fails instead.
TOO_MANY_CALLS = 10_000


def passes(found: msgspec.Raw | None, there: msgspec.Raw | None) -> bool:
    """Whether an item has all attributes of another one."""
    if found is None or there is None:
        return found is there
    attributes = msgspec.json.decode(found)
    return all(attributes.get(name) == value for name, value in msgspec.json.decode(there).items())


class Killed(BaseException):
    """This process was killed: no code of its own runs any more, so nothing may catch it."""


class FakeTable:
    """Satisfies ``processor.replication.writer.Table``.

    :param may_write: as ``WritableTable``'s
    :param faults: what becomes of the first calls, one for each
    :param refuse: keys that are never accepted
    :param linger_seconds: a call stays in flight until another one joins it, or for so long: calls that may overlap do
    :param meeting: calls stay in flight until so many were there at once
    """

    def __init__(
        self,
        *,
        faults: Iterable[Fault] = (),
        refuse: Iterable[bytes] = (),
        linger_seconds: float = 0.0,
        meeting: int = 1,
        may_write: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = "copy"
        self.items: dict[bytes, bytes] = {}
        self.calls: list[list[Change]] = []
        self.done: list[Change] = []
        self.renewals = 0
        self.most_in_flight = 0
        self.overlaps: list[bytes] = []
        self.faults: deque[Fault] = deque(faults)
        self.outage = threading.Event()  # while set, every call fails
        self.called = threading.Semaphore(0)  # released by each call
        self._refuse = frozenset(refuse)
        self._linger_seconds = linger_seconds
        self._meeting = meeting
        self._may_write = may_write
        self._rejected = False
        self._changed = threading.Condition()
        self._in_flight: list[bytes] = []
        self._calls_in_flight = 0

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """Like BatchWriteItem: at most 25, of distinct keys, all refused if one is."""
        identities = [change.identity for change in changes]
        assert 1 <= len(changes) <= MAX_ITEMS_PER_CALL
        assert len(set(identities)) == len(identities), "one call has a key twice: DynamoDB refuses it whole"
        return self._call(changes, refused=any(identity in self._refuse for identity in identities))

    def write_one(self, change: Change) -> bool:
        """Like PutItem or DeleteItem."""
        self._call([change], refused=change.identity in self._refuse)
        return True

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """Like the same with a condition and ``ReturnValues``."""
        before = self.items.get(change.identity)
        found = None if before is None else msgspec.Raw(before)
        if not passes(found, there):
            return OTHER
        self.write_one(change)
        return found

    def refuse_nothing(self) -> None:
        """Accept every key from now on."""
        self._refuse = frozenset()

    def renew_credentials(self) -> None:
        """Make ``credentials`` faults end."""
        self.renewals += 1
        self._rejected = False

    def _call(self, changes: Sequence[Change], *, refused: bool) -> list[Change]:
        self._may_write()
        with self._flight(changes):
            with self._changed:
                self.calls.append(list(changes))
                assert len(self.calls) < TOO_MANY_CALLS, "tried without end"
                fault = "throttle" if self.outage.is_set() else self.faults.popleft() if self.faults else "ok"
            self.called.release()
            if fault == "credentials" or self._rejected:
                self._rejected = True
                raise CredentialsError("fake: expired", code="ExpiredTokenException")
            if fault == "denied":
                raise CredentialsError("fake: denied", code="AccessDeniedException", is_denial=True)
            if fault == "throttle":
                raise ThrottledError("fake: throttled", code="ThrottlingException")
            if refused:
                raise RefusedError("fake: refused", code="ValidationException")
            done = len(changes) // 2 if fault == "killed" else 1 if fault == "unprocessed" else len(changes)
            with self._changed:
                self._write(changes[:done])
            if fault == "killed":
                raise Killed
            if fault == "unanswered":
                raise UnavailableError("fake: no answer", code="ReadTimeoutError")
            return list(changes[done:])

    def _write(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.done.append(change)
            if change.kind == "put":
                self.items[change.identity] = bytes_of(change)
            else:
                self.items.pop(change.identity, None)

    @contextmanager
    def _flight(self, changes: Sequence[Change]) -> Iterator[None]:
        identities = [change.identity for change in changes]
        with self._changed:
            self.overlaps += [identity for identity in identities if identity in self._in_flight]
            self._in_flight += identities
            self._calls_in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._calls_in_flight)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._calls_in_flight > 1, timeout=self._linger_seconds)
            assert self._changed.wait_for(lambda: self.most_in_flight >= self._meeting, timeout=PATIENCE_SECONDS)
        try:
            yield
        finally:
            with self._changed:
                for identity in identities:
                    self._in_flight.remove(identity)
                self._calls_in_flight -= 1
            assert not self.overlaps, f"a key had two writes in flight: {self.overlaps}"
