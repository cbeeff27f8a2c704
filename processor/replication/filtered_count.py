"""Counts a shard's records that the settings leave out, in a file that goes with its checkpoint into the lease's row.

The daemon writes the file before this process begins, with the number that the row has by then, and stores what it
has with each checkpoint (``FilteredCounts.java`` has the order of events). So ``status`` sees it from any machine.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

# Beside the children's settings file.
DIRECTORY = "filtered"

_LAYOUT = struct.Struct(">q")


class FilteredCount:
    """One shard's. If the file can't be used, nothing is counted, which the daemon says, and all else works.

    :param file: the shard's, which the daemon has written
    """

    def __init__(self, file: Path) -> None:
        self._descriptor: int | None = None
        self._count = 0
        with contextlib.suppress(OSError, struct.error):
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
            (self._count,) = _LAYOUT.unpack(os.pread(descriptor, _LAYOUT.size, 0))
            self._descriptor = descriptor

    def add(self, records: int) -> None:
        """Count records of a batch that is applied, before its checkpoint is stored."""
        if self._descriptor is None or not records:
            return
        self._count += records
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, _LAYOUT.pack(self._count), 0)
