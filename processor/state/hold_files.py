"""Marks in the daemon's directory by which a shard's child tells it that the shard waits, and for what.

``Holds.java`` looks at them: a shard that waits does not keep a daemon from stopping, and one that asks for it gives
its lease up and is read again. They end with the daemon; what other machines see stands in ``holds.py``'s rows.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from processor.settings.daemon_files import shard_file_name

# Beside the children's settings file.
DIRECTORY = "holds"
# The child's exit status that the daemon is to end with, in the same directory (``ChildStatus`` in Holds.java).
EXIT_STATUS = "exit-status"


class Waiting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a shard waits at: since when, in ms since the epoch, and how often that was said."""

    sequence_number: str
    since_ms: int
    said: int


class HoldFiles:
    """One shard's. Without a directory to write to they are not there, and nothing else changes."""

    def __init__(self, directory: Path, shard_id: str) -> None:
        self._hold = directory / DIRECTORY / shard_file_name(shard_id)
        self._outage = self._hold.with_suffix(".outage")
        self._again = self._hold.with_suffix(".again")

    def read(self) -> Waiting | None:
        """What this daemon's last child of the shard waited at, if it did."""
        try:
            return msgspec.json.decode(self._hold.read_bytes(), type=Waiting)
        except (OSError, msgspec.DecodeError):
            return None

    def hold(self, waiting: Waiting) -> None:
        """The shard waits at a change."""
        with contextlib.suppress(OSError):
            made = self._hold.with_suffix(".new")
            made.write_bytes(msgspec.json.encode(waiting))
            made.replace(self._hold)

    def release(self) -> None:
        """It waits no longer."""
        for path in (self._hold, self._again):
            _remove(path)

    def failing(self, *, failing: bool) -> None:
        """Its writes have failed for a while, or do so no longer."""
        if failing:
            with contextlib.suppress(OSError):
                self._outage.touch()
        else:
            _remove(self._outage)

    def ask_to_be_read_again(self) -> None:
        """The daemon is to give the lease up, so that a new child gets the same records anew."""
        with contextlib.suppress(OSError):
            self._again.touch()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def leave_exit_status(directory: Path, status: int) -> None:
    """Tell the daemon with which status to end, now that this process does."""
    with contextlib.suppress(OSError):
        (directory / DIRECTORY / EXIT_STATUS).write_text(str(status))
