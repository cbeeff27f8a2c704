"""The destination at the pace that was asked for, and only while the copy is ours."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from processor.capacity import Capacity
from processor.copy.write_cost import WRITE_UNIT_BYTES
from processor.errors import CredentialsError, StalledError, StoppedError, UnavailableError
from processor.plan import bytes_of
from processor.records import Change
from processor.retry import THROTTLES, is_waited_for
from processor.writable_table import Table

# A person or a script waits for the end: what has not worked for so long is for them to look at. The copy goes on where
# it was when it is started again.
STALL_SECONDS = 900.0
CREDENTIALS_STALL_SECONDS = 60.0


class StallWatch:
    """For how long something may fail without a success; counts throttles. Shared by all threads of a copy."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.throttles = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._failing_since: float | None = None

    def succeeded(self) -> None:
        """Something worked."""
        self._failing_since = None

    def failed(self, error: UnavailableError) -> None:
        """Count a failure.

        :raises StalledError: nothing has worked for too long
        """
        if is_waited_for(error):
            with self._lock:
                self.throttles += error.code in THROTTLES
            return  # it may last as long as it likes
        with self._lock:
            now = self._clock()
            since = self._failing_since = now if self._failing_since is None else self._failing_since
        if now - since > (CREDENTIALS_STALL_SECONDS if isinstance(error, CredentialsError) else STALL_SECONDS):
            raise StalledError(seconds=now - since, reason=str(error)) from error


class PacedTable:
    """Satisfies ``writable_table.Table``: another one, written no faster than ``capacity`` allows."""

    def __init__(self, table: Table, capacity: Capacity, stalls: StallWatch, stop: threading.Event) -> None:
        self.name = table.name
        self._table = table
        self._capacity = capacity
        self._stalls = stalls
        self._stop = stop

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """As the table's, when it is time."""
        with self._turn(changes):
            undone = self._table.write_batch(changes)
        if undone:
            self._stalls.failed(UnavailableError("", code="UnprocessedItems"))
        return undone

    def write_one(self, change: Change) -> bool:
        """As the table's, when it is time."""
        with self._turn([change]):
            return self._table.write_one(change)

    def renew_credentials(self) -> None:
        """As the table's."""
        self._table.renew_credentials()

    @contextmanager
    def _turn(self, changes: Sequence[Change]) -> Iterator[None]:
        with self._capacity.reserve(sum(write_units(len(bytes_of(change))) for change in changes)):
            if self._stop.is_set():
                raise StoppedError
            try:
                yield
            except UnavailableError as exc:
                self._stalls.failed(exc)
                raise
            self._stalls.succeeded()


def write_units(size_bytes: int) -> int:
    """What writing one item of that size consumes, indexes left out."""
    return max(1, math.ceil(size_bytes / WRITE_UNIT_BYTES))
