"""Estimates what a copy will cost, and how long it will take. Pure.

The sizes are DescribeTable's, which DynamoDB brings up to date every six hours or so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from processor.commands.copy.write_cost import CostPart
from processor.flow.rate_limiter import READ_UNIT_BYTES, WRITE_UNIT_BYTES
from processor.reporting.findings import Finding, error, warning

# Eventually consistent reads cost half.
SCAN_SHARE = 0.5
# What one process reads and writes where neither table holds it up, carefully estimated (``./test.sh bench copy``).
ITEMS_PER_SECOND = 12_500.0
# Replication must begin while the stream still has what was written since the first page: 24 hours, less what it takes
# to notice, to start, and to be wrong about the estimate.
WARN_SECONDS = 12 * 3600.0
MOST_SECONDS = 20 * 3600.0
LAST_SECONDS = 23 * 3600.0


class Estimate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A copy's cost and time. The time is the longer of what the tables' capacity needs and what this process needs.

    :param write_units: of the table and all its indexes together
    :param parts: the table and its global indexes, each with what it takes
    :param limited_by: what the writes wait for longest: copyWriteUnits, or one of the parts by its name
    :param dollars: what is charged by the request (``prices.py``); None if that is not known
    """

    items: int
    size_bytes: int
    read_units: int
    write_units: int
    seconds_by_write_units: float | None
    seconds_by_read_units: float | None
    seconds_by_rate: float
    parts: list[CostPart] = []
    limited_by: str = ""
    dollars: float | None = None

    @property
    def seconds(self) -> float:
        """The whole time, in seconds."""
        return max(self.seconds_by_rate, self.seconds_by_write_units or 0.0, self.seconds_by_read_units or 0.0)


def estimate(
    source: dict[str, Any],
    *,
    copied_items: int = 0,
    concurrent: bool,
    processes: int = 1,
    read_rate: float | None,
    write_rate: float | None,
    parts: Sequence[CostPart] = (),
    scan_units_per_item: float | None = None,
) -> Estimate:
    """Estimate what is left of a table.

    :param source: its DescribeTable
    :param copied_items: the number of items that earlier runs copied
    :param concurrent: each item is read a second time, consistently
    :param processes: that copy on this machine, each by a core
    :param read_rate: units a second that may be read; ``write_rate``: written, of all parts together; None where
        nothing limits them
    :param parts: what a written item consumes of; without them, as many units as the average item is large
    :param scan_units_per_item: what a first page of the source has consumed
    """
    counted, size = int(source.get("ItemCount", 0)), int(source.get("TableSizeBytes", 0))
    average = size / counted if counted else 0.0
    items = max(counted - copied_items, 0)
    size = math.ceil(items * average)
    by_size = size / READ_UNIT_BYTES * SCAN_SHARE
    read_units = math.ceil(by_size if scan_units_per_item is None else items * scan_units_per_item)
    if concurrent:
        read_units += items * math.ceil(average / READ_UNIT_BYTES)
    units_per_item = math.ceil(average / WRITE_UNIT_BYTES)
    parts = parts or [CostPart(name="table", units_per_item=units_per_item, units_per_second=None)]
    write_units = math.ceil(items * sum(part.units_per_item for part in parts))
    waits = {part.name: items * part.units_per_item / part.units_per_second for part in parts if part.units_per_second}
    if write_rate:
        waits["copyWriteUnits"] = write_units / write_rate
    limited_by = max(waits, key=lambda name: waits[name], default="")
    return Estimate(
        items=items,
        size_bytes=size,
        read_units=read_units,
        write_units=write_units,
        seconds_by_write_units=waits[limited_by] if limited_by else None,
        seconds_by_read_units=read_units / read_rate if read_rate else None,
        seconds_by_rate=items / (ITEMS_PER_SECOND * processes),
        parts=list(parts),
        limited_by=limited_by,
    )


def findings(estimated: Estimate, *, concurrent: bool, age_seconds: float = 0.0) -> list[Finding]:
    """Whether there is time enough.

    :param age_seconds: the time since the copy began, if this run resumes it
    """
    seconds, most_seconds = estimated.seconds, MOST_SECONDS
    what, value = "copy", f"will take about {seconds / 3600:.1f} hours"
    if age_seconds:
        seconds, most_seconds = age_seconds + seconds, LAST_SECONDS
        value += f" more, and began {age_seconds / 3600:.1f} hours ago"
    lost = "The stream keeps changes for 24 hours, and replication begins when the copy is done"
    remedy = "Copy with --concurrent beside a running replication, with --viaS3, or allow more units"
    if concurrent or seconds <= WARN_SECONDS:
        return []
    if seconds > most_seconds and not _is_for_several(estimated, most_seconds - age_seconds):
        return [error("copy-too-long", what, value, lost, remedy)]
    if seconds > most_seconds:
        value += " on this machine alone"
        remedy = (
            "Give the same command on more machines at once: they share the work. Or copy with --concurrent, or --viaS3"
        )
        return [warning("copy-long", what, value, f"{lost}; a copy is ended after 23 hours", remedy)]
    return [warning("copy-long", what, value, f"{lost}: start it without delay", remedy)]


def _is_for_several(estimated: Estimate, most_seconds: float) -> bool:
    """Whether only this machine is too slow, and the tables' capacity is enough."""
    return max(estimated.seconds_by_write_units or 0.0, estimated.seconds_by_read_units or 0.0) <= most_seconds
