"""Copies, as status finds them."""

from __future__ import annotations

from processor.state.status.copy_progress import CopyProgress


def under_way(*, items: int, filtered: int, started_ms: int = 0) -> CopyProgress:
    """One beside a replication, of some 1000 items in four segments, of which one is done.

    :param items: number of items that are copied
    :param filtered: number of those that are left out
    """
    return CopyProgress(
        state="running",
        concurrent=True,
        followed=False,
        host="h",
        started_ms=started_ms,
        finished_ms=None,
        items=items,
        filtered=filtered,
        expected_items=1000,
        size_bytes=0,
        expected_bytes=0,
        segments=4,
        segments_done=1,
    )
