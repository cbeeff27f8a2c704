"""Finds other tasks that read the same stream on this machine: AWS throttles the third reader of a shard.

A stream doesn't say who reads it, and no table has a list of all tasks. So only this machine's daemons of one
``logDirectory`` are known before a start; of any others a daemon says ``too_many_readers`` when AWS throttles it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import javaproperties

from processor.system import held_locks

# "Do not allow more than two processes to read from the same DynamoDB Streams shard at the same time" (DynamoDB
# developer guide, quotas); of a global table's stream one, as the adapter's documentation has it.
MOST_READERS = 2
MOST_READERS_OF_REPLICA = 1
# ``daemon.py`` makes both for each daemon: the first one of a task on this machine, and those after it.
_LOCKS = ("*/daemon.lock", "*/daemon-*/daemon.lock")
_PROPERTIES = "daemon.properties"

Readers = Mapping[str, frozenset[str]]


def on_this_machine(log_directory: Path, *, besides: int | None = None) -> Readers:
    """The checkpoint tables of the tasks whose daemons live here, by the stream that they read.

    What can't be read is passed over: it belongs to another user, or is being written.

    :param besides: a process that sees to several tasks: they read a stream as one
    """
    found: dict[str, set[str]] = {}
    locked = held_locks.inodes(besides=besides)
    for pattern in _LOCKS if locked else ():
        with contextlib.suppress(OSError):
            for lock in log_directory.glob(pattern):
                with contextlib.suppress(OSError, ValueError, KeyError):
                    if lock.stat().st_ino in locked:
                        made = javaproperties.loads((lock.parent / _PROPERTIES).read_bytes())
                        found.setdefault(made["sourceStreamArn"], set()).add(made["applicationName"])
    return {stream: frozenset(tasks) for stream, tasks in found.items()}
