"""Reads the progress of the task's copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from processor.state import copy_rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class CopyProgress(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A copy; ``running``: begun and not finished, whether a process is working on it or not.

    ``followed``: it is finished, and a replication has gone on since. ``filtered``: how many items it has read and left
    out, by the settings.

    ``expected…`` are DescribeTable's counts, up to six hours old; times are milliseconds since the epoch.
    """

    state: Literal["running", "done"]
    concurrent: bool
    followed: bool
    host: str
    started_ms: int
    finished_ms: int | None
    items: int
    filtered: int
    expected_items: int
    size_bytes: int
    expected_bytes: int
    segments: int
    segments_done: int

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1; None if it is over, or the number of items is not known."""
        if self.state == "done" or not self.expected_items:
            return None
        return min((self.items + self.filtered) / self.expected_items, 1.0)


def read(client: DynamoDBClient, table: str) -> CopyProgress | None:
    """The copy's progress, or None if there was no copy.

    :raises UnavailableError: the task table can't be read
    """
    copy = copy_rows.read(client, table)
    if copy is None:
        return None
    items, filtered, size_bytes, done = copy.items, copy.filtered, copy.size_bytes, copy.segments
    if copy.state == "running":
        segments = copy_rows.read_segments(client, table, copy)
        items = sum(segment.items for segment in segments)
        filtered = sum(segment.filtered for segment in segments)
        size_bytes = sum(segment.size_bytes for segment in segments)
        done = sum(1 for segment in segments if segment.done)
    return CopyProgress(
        state=copy.state,
        concurrent=copy.concurrent,
        followed=copy.followed,
        host=copy.host,
        started_ms=copy.started_ms,
        finished_ms=copy.finished_ms,
        items=items,
        filtered=filtered,
        expected_items=copy.expected_items,
        size_bytes=size_bytes,
        expected_bytes=copy.expected_bytes,
        segments=copy.segments,
        segments_done=done,
    )
