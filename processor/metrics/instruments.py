"""Defines every metric once: name, kind, help, labels. Tests hold dashboard, alarms and docs to it.

Pure. Names, units and labels follow Prometheus's conventions (https://prometheus.io/docs/practices/naming/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "dynamodb_replicator_"
# From the milliseconds of a local table to the 24 hours that a stream keeps a change.
LATENCY_BUCKETS = tuple(
    seconds * unit
    for unit, steps in (
        (1, (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 45)),
        (60, (1, 1.5, 2, 5, 15)),
        (3600, (1, 4, 12, 18, 24)),
    )
    for seconds in steps
)
APPLY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
OUTCOMES = ("put", "delete", "coalesced", "moot", "filtered", "echo", "dead_letter")
VERDICTS = ("hubWins", "lastArrival", "hubOverwritten")
RETRY_REASONS = ("throttled", "unavailable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One metric. Each has the label ``task``, beside those in ``labels``; a counter's name ends in ``_total``."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """All labels, in order."""
        return ("task", *self.labels)


def _shard(
    name: str,
    kind: Literal["counter", "gauge", "histogram"],
    help_text: str,
    *labels: str,
    buckets: tuple[float, ...] = (),
) -> Instrument:
    return Instrument(name=PREFIX + name, kind=kind, help=help_text, labels=("shard", *labels), buckets=buckets)


def _task(name: str, kind: Literal["counter", "gauge"], help_text: str, *labels: str) -> Instrument:
    return Instrument(name=PREFIX + name, kind=kind, help=help_text, labels=labels)


RECORDS = _shard("records_total", "counter", "Stream records applied or set aside")
RECORD_BYTES = _shard("record_bytes_total", "counter", "Bytes of these records, as JSON")
CHANGES = _shard("changes_total", "counter", "Outcome of each record; the sum is records_total", "outcome")
CONFLICTS = _shard(
    "conflicts_total", "counter", "Items that were written on both sides of a two-way task, by which is kept", "verdict"
)
BATCHES = _shard("batches_total", "counter", "Batches applied")
WRITE_RETRIES = _shard("write_retries_total", "counter", "Write calls repeated, by reason", "reason")
APPLY = _shard("apply_seconds", "histogram", "Time taken to apply a batch", buckets=APPLY_BUCKETS)
LATENCY = _shard(
    "replication_latency_seconds",
    "histogram",
    "From the write at the source to the destination's acknowledgement, for each record",
    buckets=LATENCY_BUCKETS,
)
LATENCY_MAX = _shard(
    "replication_latency_max_seconds", "gauge", "The longest of these latencies within the last minute or two"
)
PENDING = _shard(
    "pending_seconds", "gauge", "Age of the oldest change that was read and is not yet applied; 0 if there is none"
)
HELD = _shard(
    "held_seconds", "gauge", "Time for which the shard has waited at a change that needs a person; 0 if it doesn't wait"
)
RETENTION_USED = _shard(
    "retention_used_ratio",
    "gauge",
    "The greater of pending and latency_max, as a fraction of the stream's 24 hours",
)
CHECKPOINT_AGE = _shard(
    "checkpoint_age_seconds", "gauge", "Time since a checkpoint was stored; also grows while nothing is written"
)

SHARDS = _task("shards", "gauge", "Shards that this daemon reads")
SHARDS_UNREAD = _task("shards_unread", "gauge", "Shards of the stream that no daemon has read for a minute")
SHARDS_LOST = _task("shards_lost", "gauge", "Shards of this daemon that wait because changes of them are lost")
HEARTBEAT_LATENCY = _task(
    "heartbeat_latency_seconds",
    "gauge",
    "From the heartbeat's write at the source to the destination's acknowledgement",
)
HEARTBEAT_AGE = _task(
    "heartbeat_age_seconds", "gauge", "Time since a heartbeat arrived, from the daemon that last saw one"
)

VERIFICATION_AGE = _task(
    "verification_age_seconds",
    "gauge",
    "Time since the last whole verification began; while there is none, since the first one did",
)
VERIFICATION_EQUAL = _task("verification_equal", "gauge", "Keys that were equal at the last whole verification")
VERIFICATION_DIFFERENT = _task(
    "verification_different", "gauge", "Keys that were different then, and were not repaired"
)
REPLICA_UNFINISHED = _task(
    "replica_unfinished_seconds",
    "gauge",
    "Time since a replica's copy or comparison by itself became due, which is not done yet; 0 while it is in sync",
)

COPY_ITEMS = _task("copy_items_total", "counter", "Items copied by this run of copy")
COPY_PROGRESS = _task("copy_progress_ratio", "gauge", "Fraction of the copy that is done, by the table's size")
VERIFY_ITEMS = _task("verify_items_total", "counter", "Items read by this run of verify, in each step", "step")
VERIFY_PROGRESS = _task(
    "verify_progress_ratio", "gauge", "Fraction of the step that is done, by the tables' size", "step"
)

# Of the process and not of a task, and for Prometheus alone: its name, help and labels.
BUILD_INFO = (f"{PREFIX}build_info", "1; the label has the version of this program", ("version",))

INSTRUMENTS: tuple[Instrument, ...] = (
    RECORDS,
    RECORD_BYTES,
    CHANGES,
    CONFLICTS,
    BATCHES,
    WRITE_RETRIES,
    APPLY,
    LATENCY,
    LATENCY_MAX,
    PENDING,
    HELD,
    RETENTION_USED,
    CHECKPOINT_AGE,
    SHARDS,
    SHARDS_UNREAD,
    SHARDS_LOST,
    HEARTBEAT_LATENCY,
    HEARTBEAT_AGE,
    VERIFICATION_AGE,
    VERIFICATION_EQUAL,
    VERIFICATION_DIFFERENT,
    REPLICA_UNFINISHED,
    COPY_ITEMS,
    COPY_PROGRESS,
    VERIFY_ITEMS,
    VERIFY_PROGRESS,
)
