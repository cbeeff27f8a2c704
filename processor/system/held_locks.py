"""Which files are locked by a living process. Looking takes no lock, so it keeps nobody from taking one."""

from __future__ import annotations

from pathlib import Path

_LOCKS = Path("/proc/locks")


def inodes(table: Path = _LOCKS, *, besides: int | None = None) -> frozenset[int]:
    """The inodes of all files that are locked by ``flock``; empty where the system has no such list.

    A line is ``1: FLOCK  ADVISORY  WRITE 3996 fe:00:10847778 0 EOF``; that of a lock which is waited for has ``->``
    before its kind (proc(5)).

    :param besides: a process whose locks don't count
    """
    try:
        lines = table.read_text().splitlines()
    except OSError:
        return frozenset()
    found = set()
    for line in lines:
        parts = line.split()
        if len(parts) > 5 and parts[1] == "FLOCK" and parts[4] != str(besides):  # noqa: PLR2004  # up to the inode
            found.add(int(parts[5].rpartition(":")[2]))
    return frozenset(found)
