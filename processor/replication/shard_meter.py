"""Keeps one shard's metrics in files, which the exporter reads."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from processor.errors import ThrottledError, UnavailableError
from processor.metrics import instruments, shard_files
from processor.metrics.instruments import Instrument
from processor.metrics.internals import observe_all
from processor.metrics.shard_facts import (
    CHECKPOINT_AT,
    CLOSED,
    CLOSED_AT,
    FACTS,
    HEARTBEAT_AT,
    HEARTBEAT_LATENCY,
    HELD_SINCE,
    LONGEST,
    LONGEST_AT,
    OLDEST_AT,
    OPENED,
    WINDOW_SECONDS,
)
from processor.replication.apply import Outcome
from processor.replication.change import Change
from processor.replication.two_way.conflicts import VERDICTS, Verdict
from processor.settings.settings import Direction


class ShardMeter:
    """Keeps one shard's values in files of ``directory``.

    :param filters: whether the settings may leave changes out; else nothing is ever filtered, nor counted so
    :param direction: a two-way task's: only the uplink has echoes and conflicts
    :param written_ms: when a heartbeat was written at the source, in ms since the epoch; None where a change is none
    :raises OSError: there is no room for them
    """

    def __init__(
        self,
        directory: Path,
        *,
        task: str,
        shard_id: str,
        filters: bool = False,
        direction: Direction | None = None,
        written_ms: Callable[[Change], int | None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._written_ms = written_ms
        self._window_ends = clock() + WINDOW_SECONDS
        self._longest, self._longest_before = 0.0, 0.0
        shard_files.reserve(directory, shard_id)
        labels = {"task": task, "shard": shard_id}

        def opened(instrument: Instrument, **more: str) -> Any:
            return shard_files.make(instrument).labels(**labels, **more)

        is_uplink = direction == "uplink"
        possible = {"filtered": filters, "echo": is_uplink}
        outcomes = [kind for kind in instruments.OUTCOMES if possible.get(kind, True)]
        with shard_files.written_to(directory, shard_id):
            self._records = opened(instruments.RECORDS)
            self._bytes = opened(instruments.RECORD_BYTES)
            self._changes = {kind: opened(instruments.CHANGES, outcome=kind) for kind in outcomes}
            self._batches = opened(instruments.BATCHES)
            self._retries = {why: opened(instruments.WRITE_RETRIES, reason=why) for why in instruments.RETRY_REASONS}
            self._conflicts = {kind: opened(instruments.CONFLICTS, verdict=kind) for kind in VERDICTS if is_uplink}
            self._apply = opened(instruments.APPLY)
            self._latency = opened(instruments.LATENCY)
            self._facts = {fact: opened(fact) for fact in FACTS}
        self._facts[OLDEST_AT].set(0)
        self._facts[HELD_SINCE].set(0)
        # A child that has lost the shard may say so after the next one on this daemon has begun: that is still reading.
        self._opening = float(time.monotonic_ns())
        self._facts[OPENED].set(self._opening)

    def begun(self, changes: Sequence[Change]) -> None:
        """A batch is in hand; the stream gives the oldest first."""
        self._facts[OLDEST_AT].set(changes[0].created_ms / 1000 or self._clock())

    def applied(self, changes: Sequence[Change], outcome: Outcome, seconds: float) -> None:
        """Count it; its records count as acknowledged now, at the end of the last of its calls."""
        now = self._clock()
        self._observe_latencies(changes, now)
        self._apply.observe(seconds)
        self._facts[OLDEST_AT].set(0)
        for kind, count in (
            ("put", outcome.puts),
            ("delete", outcome.deletes),
            ("coalesced", outcome.coalesced),
            ("moot", outcome.moot),
            ("filtered", outcome.filtered),
            ("echo", outcome.echoes),
            ("dead_letter", outcome.set_aside),
        ):
            if count:
                self._changes[kind].inc(count)
        self._batches.inc()
        self._bytes.inc(sum(change.record_bytes for change in changes))
        self._records.inc(outcome.records)
        if self._written_ms is not None:
            for change in changes:
                written = self._written_ms(change)
                if written is not None:
                    self._facts[HEARTBEAT_LATENCY].set(max(0.0, now - written / 1000))
                    self._facts[HEARTBEAT_AT].set(written / 1000)

    def checkpointed(self) -> None:
        """Note when."""
        self._facts[CHECKPOINT_AT].set(self._clock())

    def retried(self, error: UnavailableError) -> None:
        """Count it."""
        self._retries["throttled" if isinstance(error, ThrottledError) else "unavailable"].inc()

    def held(self, since: float) -> None:
        """Note since when."""
        self._facts[HELD_SINCE].set(since)

    def conflicted(self, outcome: Verdict) -> None:
        """Count it."""
        self._conflicts[outcome].inc()

    def closed(self) -> None:
        """Nothing of it is in hand any more; the exporter forgets the files later."""
        self._facts[OLDEST_AT].set(0)
        self._facts[CLOSED_AT].set(self._clock())
        self._facts[CLOSED].set(self._opening)

    def _observe_latencies(self, changes: Sequence[Change], now: float) -> None:
        created = [change.created_ms for change in changes if change.created_ms]
        counts = Tally(created) if len(created) > 1 else dict.fromkeys(created, 1)
        latencies: dict[float, int] = {}
        for created_ms, count in counts.items():
            latency = max(0.0, now - created_ms / 1000)
            latencies[latency] = latencies.get(latency, 0) + count
        observe_all(self._latency, latencies)
        self._note_longest(max(latencies, default=0.0), now)

    def _note_longest(self, latency: float, now: float) -> None:
        if now >= self._window_ends:
            fresh = now < self._window_ends + WINDOW_SECONDS
            self._longest_before = self._longest if fresh else 0.0
            self._longest = 0.0
            self._window_ends = now + WINDOW_SECONDS
        self._longest = max(self._longest, latency)
        self._facts[LONGEST].set(max(self._longest, self._longest_before))
        self._facts[LONGEST_AT].set(now)
