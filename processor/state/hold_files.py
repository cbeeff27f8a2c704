"""Marks in the daemon's directory by which a shard's child tells the daemon that the shard waits, and for what.

``Holds.java`` reads them: a waiting shard does not prevent a daemon from stopping, and a shard whose child asks for it
gives its lease up and is read again. They are gone when the daemon ends; other machines see the rows of ``holds.py``.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from processor.flow import shapes
from processor.settings.daemon_files import shard_file_name

# Beside the children's settings file.
DIRECTORY = "holds"
# A file in the same directory with the exit status that the daemon shall take over from a child (``ChildStatus`` in
# Holds.java).
EXIT_STATUS = "exit-status"
# A file there that the daemon makes where its stop waits for children no longer (``noteStopped`` in Holds.java).
STOPPED = "stopped"


class Waiting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The change at which a shard waits: since when, in ms since the epoch, and how often that was reported."""

    sequence_number: str
    since_ms: int
    said: int


class HoldFiles:
    """One shard's marks. If the directory can't be written to, there are none, and everything else works."""

    def __init__(self, directory: Path, shard_id: str) -> None:
        self._hold = directory / DIRECTORY / shard_file_name(shard_id)
        self._outage = self._hold.with_suffix(".outage")
        self._again = self._hold.with_suffix(".again")

    def read(self) -> Waiting | None:
        """The change at which this daemon's previous child of the shard waited, if it did."""
        try:
            return shapes.decode(self._hold.read_bytes(), Waiting)
        except (OSError, msgspec.DecodeError):
            return None

    def hold(self, waiting: Waiting) -> None:
        """Note that the shard waits at a change."""
        with contextlib.suppress(OSError):
            made = self._hold.with_suffix(".new")
            made.write_bytes(msgspec.json.encode(waiting))
            made.replace(self._hold)

    def release(self) -> None:
        """Note that it waits no longer."""
        for path in (self._hold, self._again):
            _remove(path)

    def failing(self, *, failing: bool) -> None:
        """Note whether its writes have been failing for a while."""
        if failing:
            with contextlib.suppress(OSError):
                self._outage.touch()
        else:
            _remove(self._outage)

    def ask_to_be_read_again(self) -> None:
        """Ask the daemon to give the lease up, so that a new child gets the same records again."""
        with contextlib.suppress(OSError):
            self._again.touch()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def has_stopped(directory: Path) -> bool:
    """Whether the daemon has stopped without waiting for its children, and was not killed."""
    return (directory / DIRECTORY / STOPPED).exists()


def leave_exit_status(directory: Path, status: int) -> None:
    """Tell the daemon which exit status to end with, because this process ends."""
    with contextlib.suppress(OSError):
        (directory / DIRECTORY / EXIT_STATUS).write_text(str(status))
