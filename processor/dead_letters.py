"""Changes that the destination will never accept, kept with all that is needed to apply them again.

One JSON object a line, on disk before the checkpoint passes the change. The file holds whole items: it is made readable
by its owner only. Several children may append to one file.
"""

from __future__ import annotations

import fcntl
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

import msgspec

from processor.errors import DeadLetterError, RefusedError
from processor.records import Change


class DeadLetters(Protocol):
    """Where refused changes go."""

    def add(self, change: Change, error: RefusedError) -> None:
        """Keep ``change`` for good, or raise ``DeadLetterError``."""


class _Letter(msgspec.Struct, rename="camel"):
    time: str
    task_name: str
    table: str
    region: str
    shard_id: str
    sequence_number: str
    event_name: str
    error: str
    reason: str
    key: msgspec.Raw
    new_image: msgspec.Raw | None


class FileDeadLetters:
    """Appends to a local file."""

    def __init__(self, path: str, *, task_name: str, table: str, region: str, shard_id: str) -> None:
        self._path = Path(path)
        self._task_name = task_name
        self._table = table
        self._region = region
        self._shard_id = shard_id

    def add(self, change: Change, error: RefusedError) -> None:
        """Append one line and wait until it is on disk.

        :raises DeadLetterError: the file can't be written
        """
        letter = _Letter(
            time=datetime.now(tz=timezone.utc).isoformat(timespec="milliseconds"),
            task_name=self._task_name,
            table=self._table,
            region=self._region,
            shard_id=self._shard_id,
            sequence_number=change.sequence_number,
            event_name=change.event_name,
            error=error.code,
            reason=str(error),
            key=change.key,
            new_image=change.image,
        )
        try:
            append_line(self._path, msgspec.json.encode(letter))
        except OSError as exc:
            message = (
                f"The dead letters in {self._path} can't be written ({exc}), so the change with sequence number "
                f"{change.sequence_number} could not be set aside. It is kept and met again at the next start. Make "
                "the file writable."
            )
            raise DeadLetterError(message) from exc


def append_line(path: Path, line: bytes) -> None:
    """Append ``line`` and a newline as a whole, durably; a line that a crash cut short stays a line of its own.

    :raises OSError: as the file system says
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = memoryview((b"\n" if torn else b"") + line + b"\n")
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:  # the file's name must be on disk as well
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
