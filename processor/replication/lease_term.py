"""Until when this process may write its shard: to the end of the lease's term, and not a call longer.

KCL tells a child that its lease is lost only between two batches. A batch may outlast the lease (the daemon cut off
from the checkpoint table, the machine suspended), and an old image written then, over another daemon's newer one, would
stay for good. So the daemon notes each renewal in a file (``LeaseTerms.java``), and every write looks there first: it
begins only if it would end, answered or timed out, while the lease is ours. No other daemon writes the shard before.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from processor.errors import DaemonGoneError, LeaseLostError, SetupError

# Beside the children's settings file.
DIRECTORY = "terms"

_LAYOUT = struct.Struct(">16sqq")
_LOOK_SECONDS = 0.02
# What the daemon leaves of a term that is over, before it removes the file.
_NO_TERM = bytes(16)


class _Term(NamedTuple):
    """The file's content; the end is given by the wall clock, in ms, and by the monotonic one, in ns."""

    id: bytes
    wall_end_ms: int
    monotonic_end_ns: int


class LeaseTerm:
    """One shard's lease, as long as this child has it. Any number of threads may ask.

    :param file: where the daemon notes the lease's renewals
    :param call_seconds: the longest that one call may take
    :param gone: set when the daemon is no longer there
    :raises SetupError: the file can't be read, or the daemon has not written it
    """

    def __init__(
        self,
        file: Path,
        *,
        call_seconds: float,
        gone: threading.Event,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._call_seconds = call_seconds
        self._gone = gone
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._id = _NO_TERM
        try:
            self._descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            self._id = self._read().id
        except FileNotFoundError:
            pass  # the lease was lost while this process started
        except (OSError, struct.error) as exc:
            consequence = "It can't be known how long the shard may be written, so it is not"
            raise SetupError(f"Lease term {file}", f"can't be read ({exc})", consequence, "Start anew") from exc

    def may_write(self) -> None:
        """Return when a call that begins now would end within the lease.

        :raises LeaseLostError: the lease is over, and another daemon has the shard or will
        :raises DaemonGoneError: the daemon is no longer there
        """
        while True:
            if self._gone.is_set():
                raise DaemonGoneError
            if self._id == _NO_TERM:
                raise LeaseLostError
            term = self._read()
            if term.id != self._id:
                raise LeaseLostError
            if self._left_seconds(term) >= self._call_seconds:
                return
            self._gone.wait(_LOOK_SECONDS)  # it is renewed, or the daemon learns that it isn't, and ends the term
            self._follow()

    def _left_seconds(self, term: _Term) -> float:
        """The rest of the lease, in seconds, by the clock that has gone further.

        The monotonic clock stands still while a machine sleeps, and the wall clock may be set back.
        """
        return min(term.wall_end_ms / 1000 - self._wall(), term.monotonic_end_ns / 1e9 - self._monotonic())

    def _follow(self) -> None:
        """Open the file anew if somebody has removed it; the daemon writes it again."""
        with self._lock, contextlib.suppress(OSError):
            if os.fstat(self._descriptor).st_nlink == 0:
                opened = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
                os.dup2(opened, self._descriptor, inheritable=False)
                os.close(opened)

    def _read(self) -> _Term:
        return _Term._make(_LAYOUT.unpack(os.pread(self._descriptor, _LAYOUT.size, 0)))
