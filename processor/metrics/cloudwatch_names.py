"""Names and units of the instruments in CloudWatch, and which of them each shard has. Pure.

CloudWatch bills each name as a metric, and each shard's as another. So a shard has only the few in which shards differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from processor.metrics import instruments
from processor.metrics.data_points import Point

Unit = Literal["Bytes", "Count", "Percent", "Seconds"]


@dataclass(frozen=True, slots=True)
class Name:
    """One CloudWatch metric."""

    name: str
    unit: Unit = "Count"
    each_shard: bool = False

    @property
    def factor(self) -> float:
        """The factor for an instrument's value: ratios become percentages."""
        return 100.0 if self.unit == "Percent" else 1.0


# (the instrument's name, the value of its last label if that makes different metrics) -> the metric
NAMES: Mapping[tuple[str, str], Name] = {
    (instruments.RECORDS.name, ""): Name("RecordsApplied", each_shard=True),
    (instruments.RECORD_BYTES.name, ""): Name("BytesApplied", "Bytes"),
    (instruments.CHANGES.name, "put"): Name("RecordsPut"),
    (instruments.CHANGES.name, "delete"): Name("RecordsDeleted"),
    (instruments.CHANGES.name, "coalesced"): Name("RecordsCoalesced"),
    (instruments.CHANGES.name, "moot"): Name("RecordsMoot"),
    (instruments.CHANGES.name, "filtered"): Name("RecordsFiltered"),
    (instruments.CHANGES.name, "echo"): Name("RecordsEchoed"),
    (instruments.CHANGES.name, "dead_letter"): Name("DeadLetters"),
    (instruments.CONFLICTS.name, "hubWins"): Name("ConflictsHubWins"),
    (instruments.CONFLICTS.name, "lastArrival"): Name("ConflictsLastArrival"),
    (instruments.CONFLICTS.name, "hubOverwritten"): Name("ConflictsHubOverwritten"),
    (instruments.BATCHES.name, ""): Name("BatchesApplied"),
    (instruments.WRITE_RETRIES.name, "throttled"): Name("WriteRetriesThrottled"),
    (instruments.WRITE_RETRIES.name, "unavailable"): Name("WriteRetriesUnavailable"),
    (instruments.APPLY.name, ""): Name("ApplyTime", "Seconds"),
    (instruments.LATENCY.name, ""): Name("ReplicationLatency", "Seconds", each_shard=True),
    (instruments.LATENCY_MAX.name, ""): Name("ReplicationLatencyMax", "Seconds"),
    (instruments.PENDING.name, ""): Name("Pending", "Seconds", each_shard=True),
    (instruments.HELD.name, ""): Name("Held", "Seconds", each_shard=True),
    (instruments.RETENTION_USED.name, ""): Name("RetentionUsed", "Percent"),
    (instruments.CHECKPOINT_AGE.name, ""): Name("CheckpointAge", "Seconds", each_shard=True),
    (instruments.SHARDS.name, ""): Name("Shards"),
    (instruments.SHARDS_UNREAD.name, ""): Name("ShardsUnread"),
    (instruments.SHARDS_LOST.name, ""): Name("ShardsLost"),
    (instruments.HEARTBEAT_LATENCY.name, ""): Name("HeartbeatLatency", "Seconds"),
    (instruments.HEARTBEAT_AGE.name, ""): Name("HeartbeatAge", "Seconds"),
    (instruments.VERIFICATION_AGE.name, ""): Name("VerificationAge", "Seconds"),
    (instruments.VERIFICATION_EQUAL.name, ""): Name("VerificationEqual"),
    (instruments.VERIFICATION_DIFFERENT.name, ""): Name("VerificationDifferent"),
    (instruments.REPLICA_UNFINISHED.name, ""): Name("ReplicaUnfinished", "Seconds"),
}
_TELLING = ("outcome", "verdict", "reason")


def name_of(point: Point) -> Name | None:
    """A point's name, or None if it is not sent: a command's progress, or a label's value that we don't know."""
    labels = dict(point.labels)
    telling = next((labels[label] for label in _TELLING if label in labels), "")
    return NAMES.get((point.instrument.name, telling))
