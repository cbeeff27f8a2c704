"""Lets only one process at a time run a copy by way of S3, and has the words for who runs one.

That process counts the ``beat`` of the copy's row up; ``sharing/watch.py`` tells by it whether it lives.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypedDict

import msgspec

from processor.errors import CopyTakenError, NotReadyError, ReplicatorError, UnavailableError
from processor.state import copy_rows
from processor.state.copy_rows import CopyState
from processor.state.sharing import watch
from processor.state.sharing.watch import Found
from processor.system import process_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self, Unpack


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


def look(read: Callable[[], CopyState | None], say: Callable[[str], None]) -> Found[CopyState]:
    """Read the copy's row, and watch whether anybody works on it."""
    return watch.look(read, say, what="the copy")


def insist_free(found: Found[CopyState]) -> CopyState | None:
    """The copy's row, if nobody works on it.

    :raises NotReadyError: somebody does
    """
    if found.worker:
        message = (
            f"This task's copy is being run by {process_name.name_of(found.worker)}. Nothing was begun here. Let it "
            "finish, or stop it; then the same command goes on where it was."
        )
        raise NotReadyError(message)
    return found.work


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
        while not self._left.wait(watch.BEAT_SECONDS):
            try:
                self.change()
            except CopyTakenError:
                return  # the next change says so
            except UnavailableError as exc:
                self._failed(exc)


def begun_here(copy: CopyState) -> CopyState:
    """The row of a copy that this process begins, or goes on with."""
    return msgspec.structs.replace(copy, holder=uuid.uuid4().hex, host=process_name.here(), beat=0)


def restore(client: DynamoDBClient, table: str, written: CopyState, *, before: CopyState | None) -> None:
    """Store the row again that was there before ``written``, or none.

    :raises CopyTakenError: somebody has changed it since
    :raises UnavailableError: it can't be done now
    """
    if before is None:
        copy_rows.delete(client, table, before=written)
    else:
        copy_rows.write(client, table, before, before=written)
