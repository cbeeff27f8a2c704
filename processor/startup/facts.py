"""The facts of a start: the two tables, the stream, the checkpoints; ``fact_reader.py`` reads them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from processor.startup.stream_readers import Readers
from processor.state.care_row import CareRow
from processor.state.copy_rows import CopyState
from processor.state.leases import Lease
from processor.state.task_row import Task


class Facts(msgspec.Struct, kw_only=True):
    """What was read; None if that failed, or if there is nothing.

    ``leases_read_at_ms`` is when ``leases`` had been read, in ms since the epoch; 0 if they could not be read.
    ``source_clock_ms`` is when ``source`` was answered, by the answering service's clock, which also stamps the
    stream's records; None if the answer has no time. ``letters_owner`` is the account that must own the bucket of dead
    letters, or of an uplink's conflicts. ``readers_here`` are the tasks that read streams on this machine, by the
    stream's ARN. ``missing`` are the sides whose table does not exist; ``to_make`` is what a copy will make first
    (``provisioning.py``).
    """

    source: dict[str, Any] | None = None
    source_clock_ms: int | None = None
    source_ttl: str | None = None
    stream_shards: frozenset[str] | None = None
    open_shards: int | None = None
    stream_status: str | None = None
    destination: dict[str, Any] | None = None
    destination_ttl: str | None = None
    leases: list[Lease] | None = None
    leases_read_at_ms: int = 0
    task: Task | None = None
    copy: CopyState | None = None
    care: CareRow | None = None
    letters_owner: str | None = None
    readers_here: Readers = {}
    missing: set[str] = set()
    to_make: frozenset[Literal["destination", "stream"]] = frozenset()
