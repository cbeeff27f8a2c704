"""Collects a daemon's metrics: the sums over its shards' files, and ages as of now."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from processor.dynamodb.stream_retention import RETENTION_SECONDS
from processor.metrics import instruments, shard_facts, shard_files
from processor.metrics.instruments import Instrument
from processor.metrics.shard_facts import WINDOW_SECONDS
from processor.state.care_row import CareRow
from processor.state.verification_row import VerificationState

if TYPE_CHECKING:
    from prometheus_client import Metric

# How long a stream keeps a record (DynamoDB developer guide, "Change data capture for DynamoDB Streams").
# A shard's figures stay for so long after its end, for whoever scrapes rarely. Every few hours a shard has a new name:
# those of a month would be thousands.
FORGET_SECONDS = 3600
# How long a message of the daemon about all shards is valid; it sends one every 20 s.
FLEET_SECONDS = 90

_Facts = dict[str, float]
_FACT_NAMES = {fact.name for fact in shard_facts.FACTS}


def _is_read(of_shard: _Facts) -> bool:
    return of_shard.get(shard_facts.OPENED.name, 0.0) != of_shard.get(shard_facts.CLOSED.name, 0.0)


class Heard(msgspec.Struct, rename="camel"):
    """The daemon's message every few seconds: how many shards nobody reads, and how many it holds because of a loss."""

    shards_unread: int
    shards_lost: int


class DaemonCollector(Collector):
    """Any thread may collect."""

    def __init__(self, directory: Path, *, task: str, clock: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._task = task
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: Heard | None = None
        self._heard_at = 0.0
        self._verification: VerificationState | None = None
        self._care: CareRow | None = None

    def verified(self, found: VerificationState | None) -> None:
        """Take what the task's verifications have found; None where there is no row of them."""
        self._verification = found or self._verification

    def cared(self, found: CareRow | None) -> None:
        """Take how far the replica is that looks after itself; None where there is no row of it."""
        self._care = found or self._care

    def hear(self, heard: Heard) -> None:
        """Take a message of the daemon."""
        self._heard, self._heard_at = heard, self._clock()

    def collect(self) -> Iterator[Metric]:
        """Families in prometheus_client's own shape, with the names and labels of ``instruments.py``."""
        with self._lock:
            merged = list(
                MultiProcessCollector(None, path=str(self._directory)).collect()  # type: ignore[no-untyped-call]
            )
            facts = self._facts(merged)
            self._forget_ended(facts)
        yield from (family for family in merged if family.name not in _FACT_NAMES)
        yield from self._ages(facts)

    @staticmethod
    def _facts(merged: list[Metric]) -> dict[str, _Facts]:
        facts: dict[str, _Facts] = defaultdict(dict)
        for family in merged:
            if family.name in _FACT_NAMES:
                for sample in family.samples:
                    facts[sample.labels["shard"]][family.name] = sample.value
        return facts

    def _forget_ended(self, facts: dict[str, _Facts]) -> None:
        for shard_id, of_shard in facts.items():
            closed_at = of_shard.get(shard_facts.CLOSED_AT.name, 0)
            if closed_at and not _is_read(of_shard) and self._clock() - closed_at > FORGET_SECONDS:
                for path in shard_files.files(self._directory, shard_id):
                    path.unlink(missing_ok=True)

    def _ages(self, facts: dict[str, _Facts]) -> Iterator[Metric]:
        now = self._clock()
        reading = {name: of for name, of in facts.items() if _is_read(of)}

        def since(of_shard: _Facts, fact: Instrument) -> float:
            at = of_shard.get(fact.name, 0.0)
            return max(0.0, now - at) if at else 0.0

        pending = {name: since(of, shard_facts.OLDEST_AT) for name, of in reading.items()}
        yield self._by_shard(instruments.PENDING, pending)
        held = {name: since(of, shard_facts.HELD_SINCE) for name, of in reading.items()}
        yield self._by_shard(instruments.HELD, held)
        ages = {name: since(of, shard_facts.CHECKPOINT_AT) for name, of in reading.items()}
        yield self._by_shard(instruments.CHECKPOINT_AGE, {name: age for name, age in ages.items() if age})
        longest = {
            name: of.get(shard_facts.LONGEST.name, 0.0)
            if since(of, shard_facts.LONGEST_AT) < 2 * WINDOW_SECONDS
            else 0.0
            for name, of in reading.items()
        }
        yield self._by_shard(instruments.LATENCY_MAX, longest)
        # Between two batches no change is waiting, however far behind the shard is.
        used = {name: max(seconds, longest[name]) / RETENTION_SECONDS for name, seconds in pending.items()}
        yield self._by_shard(instruments.RETENTION_USED, used)
        yield self._of_task(instruments.SHARDS, len(reading))
        if self._heard is not None and now - self._heard_at < FLEET_SECONDS:
            yield self._of_task(instruments.SHARDS_UNREAD, self._heard.shards_unread)
            yield self._of_task(instruments.SHARDS_LOST, self._heard.shards_lost)
        last = max(facts.values(), key=lambda of: of.get(shard_facts.HEARTBEAT_AT.name, 0.0), default={})
        if last.get(shard_facts.HEARTBEAT_AT.name):
            yield self._of_task(instruments.HEARTBEAT_LATENCY, last[shard_facts.HEARTBEAT_LATENCY.name])
            yield self._of_task(instruments.HEARTBEAT_AGE, since(last, shard_facts.HEARTBEAT_AT))
        yield from self._verified(now)
        if self._care is not None and self._care.phase is not None:
            is_made = self._care.phase == "in sync"
            seconds = 0.0 if is_made else max(0.0, now - self._care.phase_since_ms / 1000)
            yield self._of_task(instruments.REPLICA_UNFINISHED, seconds)

    def _verified(self, now: float) -> Iterator[Metric]:
        found = self._verification
        if found is None:
            return
        since_ms = found.last.through_ms if found.last else found.since_ms
        if since_ms is not None:
            yield self._of_task(instruments.VERIFICATION_AGE, max(0.0, now - since_ms / 1000))
        if found.last is not None:
            yield self._of_task(instruments.VERIFICATION_EQUAL, found.last.equal)
            yield self._of_task(instruments.VERIFICATION_DIFFERENT, found.last.differing)

    def _by_shard(self, instrument: Instrument, figures: dict[str, float]) -> Metric:
        family = GaugeMetricFamily(instrument.name, instrument.help, labels=instrument.label_names)
        for shard_id, value in sorted(figures.items()):
            family.add_metric([self._task, shard_id], value)
        return family

    def _of_task(self, instrument: Instrument, value: float) -> Metric:
        family = GaugeMetricFamily(instrument.name, instrument.help, labels=instrument.label_names)
        family.add_metric([self._task], value)
        return family
