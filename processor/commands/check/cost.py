"""Estimates what a task costs a month: its reads, its checkpoint table and its metrics, for the stream it has. Pure.

docs/tuning.md explains the figures. What AWS charges for the writes at the destination, for machines and for data
between regions is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from processor.dynamodb import prices
from processor.settings import kcl_properties

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts

_MONTH_SECONDS = 30 * 86_400
# What a read takes beside its pause, by ``./test.sh bench quiet-written``: 7.7 a second at 125 ms.
_READ_SECONDS = 0.005
# Three renewals of a lease in ``failoverTimeMillis``.
_RENEWALS = 3
# A partition holds 10 GB, and gives 3,000 read and 1,000 write units a second (DynamoDB developer guide, partitions).
_PARTITION_BYTES, _PARTITION_READS, _PARTITION_WRITES = 10 * 1024**3, 3000, 1000
# CloudWatch metrics by docs/metrics.md: of a task, of each shard, of each daemon; and requests a minute of a daemon.
_TASK_METRICS, _SHARD_METRICS, _DAEMON_METRICS = 26, 16, 21
_REQUESTS_A_MINUTE = 7 / 2


class MonthlyCost(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """US dollars a month, for one daemon. *Idle*: nobody writes; *busy*: every shard is written all the time.

    :param shards: open ones of the stream; of a stream that is off, what the table's size and capacity suggest
    """

    shards: int
    reads_idle: float
    reads_busy: float
    leases_idle: float
    leases_busy: float
    cloudwatch: float

    @property
    def idle(self) -> float:
        """All of it, if nobody writes."""
        return self.reads_idle + self.leases_idle + self.cloudwatch

    @property
    def busy(self) -> float:
        """All of it, if every shard is written all the time."""
        return self.reads_busy + self.leases_busy + self.cloudwatch

    @property
    def shown(self) -> str:
        """For people, in a line."""
        shards = f"{self.shards} shard{'s' if self.shards != 1 else ''}"
        cloudwatch = f", of which CloudWatch {self.cloudwatch:,.0f} $" if self.cloudwatch else ""
        return (
            f"about {self.idle:,.1f} $ a month for {shards} that nobody writes, {self.busy:,.0f} $ if all are written "
            f"all the time{cloudwatch}; without the writes to the destination and the machine ({prices.WORDS})"
        )


def estimate(settings: Settings, facts: Facts) -> MonthlyCost | None:
    """What the task will cost; None if its source is not at AWS's own endpoint, or can't be seen."""
    if settings.source_endpoint or facts.source is None:
        return None
    shards = facts.open_shards if facts.open_shards is not None else _partitions(facts.source)
    reads = 1 / (_idle_millis(settings) / 1000 + _READ_SECONDS)
    quiet = min(1000 / settings.idle_time_between_reads_max_millis, reads)
    interval = settings.checkpoint_interval_millis
    checkpoints = min(reads, 1000 / interval) if interval else reads
    renewals = _RENEWALS / settings.failover_seconds
    return MonthlyCost(
        shards=shards,
        reads_idle=shards * _of_reads(quiet),
        reads_busy=shards * _of_reads(reads),
        leases_idle=shards * _of_updates(renewals),
        leases_busy=shards * _of_updates(renewals + checkpoints),
        cloudwatch=_cloudwatch(settings, shards),
    )


def _partitions(table: Mapping[str, Any]) -> int:
    """How many partitions, and so shards, a table has at least."""
    found = table.get("ProvisionedThroughput", {})
    units = (
        found.get("ReadCapacityUnits", 0) / _PARTITION_READS + found.get("WriteCapacityUnits", 0) / _PARTITION_WRITES
    )
    size = int(table.get("TableSizeBytes", 0))
    return max(1, math.ceil(size / _PARTITION_BYTES), math.ceil(float(units)))


def _idle_millis(settings: Settings) -> int:
    name = "idleTimeBetweenReadsInMillis"
    return int(settings.kcl.get(name, kcl_properties.TUNED[name]))


def _of_reads(a_second: float) -> float:
    return prices.stream_reads(a_second * _MONTH_SECONDS)


def _of_updates(a_second: float) -> float:
    return prices.writes(a_second * _MONTH_SECONDS, "STANDARD")


def _cloudwatch(settings: Settings, shards: int) -> float:
    level = settings.kcl.get("metricsLevel", "DETAILED")
    if settings.dont_publish_cloudwatch or level == "NONE":
        return 0.0
    of_shards = 0 if level == "SUMMARY" else _SHARD_METRICS * shards
    requests = _REQUESTS_A_MINUTE * _MONTH_SECONDS / 60
    return prices.metrics(_TASK_METRICS + of_shards + _DAEMON_METRICS, requests)
