"""Rates and lags of the last 15 minutes, from what one look at a task saw and the next. Pure.

Nobody tells rates: they follow from numbers that daemons store with their checkpoints, so any machine sees them.

::

    applied a second   how much the shards' ``applied`` have grown, which their leases' rows have
    written a second   the same, and how much the number of pending records has grown, which pages of the stream show

A rate is not known, rather than wrong, where a daemon of an earlier version counts nothing; and what is written isn't,
where a shard has more pending records than a page holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from processor.state.status.lineage import Lag, ShardState

MINUTES = 15
# Points that are drawn at most: one for each of a chart's pixels or two.
_POINTS = 180


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was so at one moment, or on average since the one before it. None where it is not known.

    :param at_ms: milliseconds since the epoch
    """

    at_ms: int
    written: float | None
    applied: float | None
    lag_seconds: float | None
    pending: int | None


class _Shard(msgspec.Struct, frozen=True):
    applied: int | None
    checkpoint: str | None
    pending: int | None


class History:
    """One task's.

    :param interval_seconds: from one look to the next, so that a point is not closer to the next than that
    """

    def __init__(self, *, interval_seconds: float) -> None:
        self._step_ms = max(interval_seconds, MINUTES * 60 / _POINTS) * 1000
        self._samples: deque[Sample] = deque()
        self._before: tuple[int, dict[str, _Shard]] | None = None

    def add(self, at_ms: int, shards: Iterable[ShardState], lags: Mapping[str, Lag], lag_seconds: float | None) -> None:
        """Note what a look saw.

        :param at_ms: when the leases were read, milliseconds since the epoch
        :param lag_seconds: the task's
        """
        now = {shard.shard_id: _Shard(shard.applied, shard.checkpoint, _pending(shard, lags)) for shard in shards}
        pending = [each.pending for each in now.values()]
        written = applied = None
        if self._before is not None and at_ms > self._before[0]:
            seconds = (at_ms - self._before[0]) / 1000
            applied = _rate(_grown(self._before[1], now), seconds)
            written = _rate(_come(self._before[1], now), seconds)
        self._before = at_ms, now
        sample = Sample(
            at_ms=at_ms,
            written=written,
            applied=applied,
            lag_seconds=lag_seconds,
            pending=None if any(each is None for each in pending) else sum(each or 0 for each in pending),
        )
        self._samples.append(sample)
        while self._samples[0].at_ms < at_ms - MINUTES * 60_000:
            self._samples.popleft()

    def samples(self) -> list[Sample]:
        """The last 15 minutes, the oldest first; those that are close together as one."""
        found: list[Sample] = []
        together: list[Sample] = []
        for sample in self._samples:
            if together and sample.at_ms - together[0].at_ms >= self._step_ms:
                found.append(_joined(together))
                together = []
            together.append(sample)
        return [*found, _joined(together)] if together else found

    def latest(self, *, seconds: float = 10) -> Sample | None:
        """What is so now; of the rates the average of so many seconds, for single looks jump."""
        if not self._samples:
            return None
        last = self._samples[-1]
        recent = [each for each in self._samples if each.at_ms > last.at_ms - seconds * 1000]
        mean = _joined(recent)
        return msgspec.structs.replace(last, written=mean.written, applied=mean.applied)


def _pending(shard: ShardState, lags: Mapping[str, Lag]) -> int | None:
    if shard.state == "finished":
        return 0
    lag = lags.get(shard.shard_id)
    return None if lag is None or lag.pending is None or lag.pending.more else lag.pending.count


def _grown(before: Mapping[str, _Shard], now: Mapping[str, _Shard]) -> int | None:
    """How many records were applied in between; None where that was not counted."""
    total = 0
    for shard_id, shard in now.items():
        earlier = before.get(shard_id, _Shard(0, None, 0))
        if shard.checkpoint == earlier.checkpoint:
            continue
        if shard.applied is None:
            if (shard.checkpoint or "").isdecimal():
                return None
            continue
        grown = shard.applied - (earlier.applied or 0)
        if grown == 0 and (shard.checkpoint or "").isdecimal():
            return None  # a daemon that doesn't count moves a checkpoint, and leaves the number as it is
        total += max(grown, 0)
    return total


def _come(before: Mapping[str, _Shard], now: Mapping[str, _Shard]) -> int | None:
    """How many records were written in between; None where that can't be known."""
    grown = _grown(before, now)
    if grown is None:
        return None
    waiting = 0
    for shard_id in now:
        is_pending, was_pending = now[shard_id].pending, before.get(shard_id, _Shard(0, None, 0)).pending
        if is_pending is None or was_pending is None:
            return None
        waiting += is_pending - was_pending
    return max(grown + waiting, 0)


def _rate(records: int | None, seconds: float) -> float | None:
    return None if records is None else round(records / seconds, 1)


def _joined(samples: list[Sample]) -> Sample:
    """The average of the rates, and the most of the others: a peak stays visible."""
    return Sample(
        at_ms=samples[-1].at_ms,
        written=_mean(each.written for each in samples),
        applied=_mean(each.applied for each in samples),
        lag_seconds=max((each.lag_seconds for each in samples if each.lag_seconds is not None), default=None),
        pending=max((each.pending for each in samples if each.pending is not None), default=None),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 1) if known else None
