"""Bounds a change's age by when it was first seen in the stream, where its own time is too coarse. Pure.

::

    look 1               look 2                    look 3
    ──┼──────────────────┼─────────────────────────┼──▶
      the newest is 40   the newest is 55          the oldest pending is 50: written after look 1

A change that an earlier look did not see in a shard is younger than that look. So who looks every few seconds knows an
age that good, even where the source rounds its records' times to the minute (``dynamodb/record_times.py``).
"""

from __future__ import annotations

from collections import deque

from processor.state.status.lineage import Lag

# Looks that are remembered of a shard that is behind; without one that is old enough, the record's own time counts.
_MOST = 500


class Arrivals:
    """What was seen of each shard's newest record, and when."""

    def __init__(self) -> None:
        self._looks: dict[str, deque[tuple[int, float]]] = {}

    def bounded(self, shard_id: str, lag: Lag, *, checkpoint: str | None, now: float) -> tuple[Lag, bool]:
        """A shard's lag, smaller where an earlier look shows that, and whether one does.

        :param now: seconds, by one clock for all looks
        """
        if lag.pending is None:
            return lag, False
        looks = self._looks.setdefault(shard_id, deque(maxlen=_MOST))
        reached = int(checkpoint) if checkpoint and checkpoint.isdecimal() else 0
        while len(looks) > 1 and looks[1][0] <= reached:
            looks.popleft()
        oldest = lag.pending.first
        before = [at for newest, at in looks if oldest is not None and newest < oldest]
        if not lag.pending.more:
            looks.append((max(reached, lag.pending.newest or 0), now))
        if not before or lag.seconds is None:
            return lag, False
        age = round(now - max(before), 1)
        return Lag(seconds=min(age, lag.seconds), note=lag.note, lost=lag.lost, pending=lag.pending), True

    def forget_all_but(self, shard_ids: set[str]) -> None:
        """Let go of shards that are finished or gone."""
        self._looks = {shard_id: looks for shard_id, looks in self._looks.items() if shard_id in shard_ids}
