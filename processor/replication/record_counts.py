"""Counts a shard's records, applied and left out, in a file that goes with its checkpoint into the lease's row.

The daemon writes the file before this process begins, with the numbers that the row has by then, and stores what it
has with each checkpoint (``RecordCounts.java`` has the order of events). So ``status`` sees them from any machine.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

# Beside the children's settings file.
DIRECTORY = "counts"

_LAYOUT = struct.Struct(">qq")


class RecordCounts:
    """One shard's. If the file can't be used, nothing is counted, which the daemon says, and all else works.

    :param file: the shard's, which the daemon has written
    """

    def __init__(self, file: Path) -> None:
        self._descriptor: int | None = None
        self._applied, self._filtered = 0, 0
        with contextlib.suppress(OSError, struct.error):
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
            self._applied, self._filtered = _LAYOUT.unpack(os.pread(descriptor, _LAYOUT.size, 0))
            self._descriptor = descriptor

    def add(self, *, records: int, filtered: int) -> None:
        """Count a batch that is applied, before its checkpoint is stored.

        :param records: all of the batch
        :param filtered: those of them that the settings leave out
        """
        if self._descriptor is None:
            return
        self._applied += records
        self._filtered += filtered
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, _LAYOUT.pack(self._applied, self._filtered), 0)
