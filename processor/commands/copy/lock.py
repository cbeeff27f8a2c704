"""Tells whether somebody works on a copy, and lets only one process at a time run one by way of S3.

Whoever works on a copy counts a ``beat`` up in the copy's row: each of its members its own (``member.py``), or the one
process of a copy by way of S3 the row's. Another process takes over if the beats stand still, or at once if it can tell
that the processes have ended.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

import msgspec

from processor.errors import CopyTakenError, NotReadyError, ReplicatorError, UnavailableError
from processor.state import copy_rows
from processor.state.copy_rows import CopyState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self, Unpack

BEAT_SECONDS = 2.0
# A write begins so long after a beat at most; with the longest that a call takes (``command.TIMEOUTS``, 8 s) it has
# ended before another process, which watches for longer, takes over.
TERM_SECONDS = 10.0
WATCH_SECONDS = 20.0
_POLL_SECONDS = 0.5


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


class Found(NamedTuple):
    """A copy's row, if there is one, and the process that was seen to work on it; empty if nobody does."""

    copy: CopyState | None
    worker: str = ""


def look(read: Callable[[], CopyState | None], say: Callable[[str], None]) -> Found:
    """Read the copy's row, and watch whether anybody works on it."""
    first = found = read()
    deadline = time.monotonic() + WATCH_SECONDS
    while first is not None and found is not None and (unknown := _perhaps_working(first)):
        if time.monotonic() > deadline:
            return Found(found)
        say(f"Looking for {WATCH_SECONDS:.0f} s whether the copy begun by {name_of(unknown)} is still running")
        time.sleep(_POLL_SECONDS)
        found = read()
        if found is not None and (worker := _working(first, found)):
            return Found(found, worker)
        if found is not None and (found.holder, found.members) != (first.holder, first.members):
            first = found  # some have left
    return Found(found)


def _perhaps_working(copy: CopyState) -> str:
    """A process that works on the copy as far as one look can tell; empty if none does."""
    if copy.state != "running":
        return ""
    if copy.members is None:
        return copy.host if copy.holder and not is_gone(copy.host) else ""
    return next((each.host for each in copy.members.values() if not is_gone(each.host)), "")


def _working(before: CopyState, now: CopyState) -> str:
    """A process whose beat has moved between two looks; empty if none has."""
    if now.members is None:
        has_moved = now.holder and (now.holder, now.beat) != (before.holder, before.beat)
        return now.host if has_moved and now.state == "running" else ""
    known = before.members or {}
    return next((each.host for name, each in now.members.items() if known.get(name) != each), "")


def insist_free(found: Found) -> CopyState | None:
    """The copy's row, if nobody works on it.

    :raises NotReadyError: somebody does
    """
    if found.worker:
        message = (
            f"This task's copy is being run by {name_of(found.worker)}. Nothing was begun here. Let it finish, or stop "
            "it; then the same command goes on where it was."
        )
        raise NotReadyError(message)
    return found.copy


def name_of(process: str) -> str:
    """A process (see ``here``) in words."""
    host, pid, *_ = process.split("/")
    return f"process {pid} on {host}"


class CopyLock:
    """Runs a copy by way of S3, alone, for as long as the context is entered; ``copy`` is its row.

    It writes no item, so one that sleeps can't write over anything: its calls to change the row fail.

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
        failed: Callable[[UnavailableError], None],
    ) -> None:
        self.copy = begun_here(copy)
        self._connect = connect
        self._table = table
        self._failed = failed
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._taken: CopyTakenError | None = None
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
        self.copy = after

    def withdraw(self, before: CopyState | None) -> None:
        """Restore the row that was there before this run."""
        with self._lock:
            self._left.set()
            restore(self._connect(), self._table, self.copy, before=before)
            self.copy = msgspec.structs.replace(self.copy, state="done")  # nothing is left to give back

    def _beat(self) -> None:
        while not self._left.wait(BEAT_SECONDS):
            try:
                self.change()
            except CopyTakenError:
                return  # the next change says so
            except UnavailableError as exc:
                self._failed(exc)


def begun_here(copy: CopyState) -> CopyState:
    """The row of a copy that this process begins, or goes on with."""
    return msgspec.structs.replace(copy, holder=uuid.uuid4().hex, host=here(), beat=0)


def restore(client: DynamoDBClient, table: str, written: CopyState, *, before: CopyState | None) -> None:
    """Store the row again that was there before ``written``, or none.

    :raises CopyTakenError: somebody has changed it since
    :raises UnavailableError: it can't be done now
    """
    if before is None:
        copy_rows.delete(client, table, before=written)
    else:
        copy_rows.write(client, table, before, before=written)
