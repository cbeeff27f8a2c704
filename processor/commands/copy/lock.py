"""Lets only one process at a time run a copy, whatever machine it is on.

The process that runs it counts ``beat`` up in the copy's row. Another process takes the copy over if ``beat`` stands
still, or at once if it can tell that the first process has ended. A process that could not beat for a while writes
nothing until it has read that the copy is still its own, so it can't write over what its successor wrote.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

import msgspec

from processor.errors import CopyTakenError, NotReadyError, ReplicatorError, StoppedError, UnavailableError
from processor.flow import retry_policy
from processor.flow.retry_limit import RetryLimit
from processor.state import copy_rows
from processor.state.copy_rows import CopyState, SegmentState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self, Unpack

BEAT_SECONDS = 2.0
# A write begins so long after a beat at most; with the longest that a call takes (``command.TIMEOUTS``, 8 s) it has
# ended before another process, which watches for longer, takes over.
TERM_SECONDS = 10.0
WATCH_SECONDS = 20.0
_POLL_SECONDS = 0.5
_WAIT_SECONDS = 0.05


class Fields(TypedDict, total=False):
    """What a run changes of its copy's row, besides ``beat``; see ``CopyState``."""

    state: Literal["running", "done"]
    holder: str
    finished_ms: int
    destination_id: str
    export_arn: str
    import_arn: str
    items: int
    size_bytes: int
    expired: int
    filtered: int


def here() -> str:
    """A name for this process, which no other process on any machine has at the same time."""
    parts = [socket.gethostname(), str(os.getpid())]
    for place in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(place.read_text().strip() if place.name == "boot_id" else str(place.readlink()))
        except OSError:  # not Linux: then others watch
            parts.append(uuid.uuid4().hex)
    return "/".join(parts)


def is_gone(process: str) -> bool:
    """Whether it can be known from here that ``process`` (see ``here``) has ended."""
    host, pid, *machine = process.split("/")
    ours = here().split("/")
    if [host, *machine] != [ours[0], *ours[2:]]:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def wait_until_free(read: Callable[[], CopyState | None], say: Callable[[str], None]) -> CopyState | None:
    """The copy's row, once nobody runs it.

    :raises NotReadyError: another process goes on running it
    """
    found = read()
    deadline = time.monotonic() + WATCH_SECONDS
    while found is not None and found.state == "running" and found.holder and not is_gone(found.host):
        if time.monotonic() > deadline:
            return found
        say(f"Looking for {WATCH_SECONDS:.0f} s whether the copy begun by {_name(found.host)} is still running")
        time.sleep(_POLL_SECONDS)
        before, found = found, read()
        if found is not None and (found.holder, found.beat) != (before.holder, before.beat):
            message = (
                f"This task's copy is being run by {_name(found.host)}. Nothing was begun here. Let it finish, or stop "
                "it; then the same command goes on where it was."
            )
            raise NotReadyError(message)
    return found


def _name(process: str) -> str:
    host, pid, *_ = process.split("/")
    return f"process {pid} on {host}"


class CopyLock:
    """Runs a copy for as long as the context is entered; ``copy`` is its row.

    :param before: the row as it was found
    :param failed: called with each failure to beat
    :raises CopyTakenError: another process was faster
    """

    def __init__(
        self,
        connect: Callable[[], DynamoDBClient],
        table: str,
        copy: CopyState,
        *,
        before: CopyState | None,
        stop: threading.Event,
        failed: Callable[[UnavailableError], None],
    ) -> None:
        self.copy = msgspec.structs.replace(copy, holder=uuid.uuid4().hex, host=here(), beat=0)
        self._connect = connect
        self._table = table
        self._stop = stop
        self._failed = failed
        self._lock = threading.Lock()
        self._left = threading.Event()
        # Of its own: while the tables answer, and only the beats fail, the copy stands still all the same.
        self._limit = RetryLimit(retry_policy.COPY)
        self._taken: CopyTakenError | None = None
        self._error: BaseException | None = None
        self._beaten = (time.monotonic(), time.time())
        copy_rows.write(connect(), table, self.copy, before=before)
        self._thread = threading.Thread(target=self._beat, name="copy-beat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()
        if self._taken is None and self.copy.state == "running":
            try:
                self.change(holder="")  # so that the next one need not watch
            except ReplicatorError:
                return

    def change(self, **fields: Unpack[Fields]) -> None:
        """Store other values of the copy's row.

        :raises CopyTakenError: another process runs the copy now
        :raises UnavailableError: it can't be stored now
        """
        with self._lock:
            try:
                self._change(**fields)
            except CopyTakenError as taken:
                self._taken = taken
                raise

    def _change(self, **fields: Unpack[Fields]) -> None:
        began = (time.monotonic(), time.time())
        after = msgspec.structs.replace(self.copy, beat=self.copy.beat + 1, **fields)
        try:
            copy_rows.write(self._connect(), self._table, after, before=self.copy)
        except CopyTakenError:
            stored = copy_rows.read(self._connect(), self._table)
            if stored is None or stored.holder != self.copy.holder:
                raise
            # An answer was lost: the row was written after all.
            self.copy = stored
            after = msgspec.structs.replace(after, beat=stored.beat + 1)
            copy_rows.write(self._connect(), self._table, after, before=stored)
        self.copy, self._beaten = after, began

    def save(self, segment: SegmentState) -> None:
        """Store the position at which a segment is resumed.

        :raises CopyTakenError: another process goes on with it
        :raises UnavailableError: it can't be stored now
        """
        copy_rows.save(self._connect(), self._table, self.copy, segment)

    def withdraw(self, before: CopyState | None) -> None:
        """Restore the row that was there before this run."""
        with self._lock:
            self._left.set()
            if before is None:
                copy_rows.delete(self._connect(), self._table, before=self.copy)
            else:
                copy_rows.write(self._connect(), self._table, before, before=self.copy)
            self.copy = msgspec.structs.replace(self.copy, state="done")  # nothing is left to give back

    def may_write(self) -> None:
        """Return if the copy stays ours for as long as a call takes; wait while that can't be known.

        :raises CopyTakenError: it is another process's
        :raises StalledError: it could not be known for too long
        :raises RefusedError: it can never be known
        :raises StoppedError: the stop came while it could not be known
        """
        while True:
            if (error := self._taken or self._error) is not None:
                raise error
            monotonic, wall = self._beaten
            # The monotonic clock stands still while the machine is suspended; the other may be set back.
            if max(time.monotonic() - monotonic, time.time() - wall) < TERM_SECONDS:
                return
            if self._stop.wait(_WAIT_SECONDS):
                raise StoppedError

    def _beat(self) -> None:
        while not self._left.wait(BEAT_SECONDS):
            try:
                self._beat_once()
            except CopyTakenError:
                return  # whoever wants to write is told
            except BaseException as exc:  # noqa: BLE001  # the same; a copy by way of S3 writes nothing, and goes on
                self._error = exc

    def _beat_once(self) -> None:
        try:
            self.change()
        except UnavailableError as exc:
            self._failed(exc)
            self._limit.failed(exc)
        else:
            self._limit.succeeded()
