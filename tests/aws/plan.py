"""What a run makes, and what that costs at most, computed from the amounts that the steps use. Pure.

Prices are those of ``processor/dynamodb/prices.py``, and of docs/tuning.md, as of the same month.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from processor.dynamodb import prices

# What the steps write. An item of these is less than 1 KB, which is one write unit.
COPIED_ITEMS = 200
LIVE_WRITES = 5_000
LARGE_BYTES = 300_000
BURST_ITEMS = 100
BURST_BYTES = 8_000
# Read and write units of the provisioned tables: the destination has less than the burst needs, to be throttled.
SOURCE_UNITS = (60, 20)
DESTINATION_UNITS = (60, 2)
INDEX_UNITS = (1, 1)
# Bounds of what isn't ours to say: how long it takes, and how many shards a new table's stream has.
MINUTES = 60
SHARDS = 8
# US dollars, us-east-1: a unit for an hour, a gigabyte between regions (the dearest).
_READ_UNIT_HOUR, _WRITE_UNIT_HOUR = 0.00013, 0.00065
_GIGABYTE_BETWEEN_REGIONS = 0.09
_DEAREST_REGION = 2.0
# Calls a second for each shard, by docs/tuning.md; it is written for a fraction of the time.
_STREAM_READS_A_SECOND = 8.0
_RENEWALS_A_SECOND, _CHECKPOINTS_A_SECOND = 0.6, 2.0
_CLASS = "STANDARD"


class Line(NamedTuple):
    """One kind of cost, in US dollars, and what was assumed."""

    what: str
    dollars: float


def costs() -> Iterator[Line]:
    """Each kind of cost, in the dearest region."""
    for what, dollars in _costs():
        yield Line(what, dollars * _DEAREST_REGION)


def dollars() -> float:
    """All of it."""
    return sum(line.dollars for line in costs())


def _costs() -> Iterator[Line]:
    seconds = MINUTES * 60
    large = LARGE_BYTES / 1024
    written = 2 * (COPIED_ITEMS + LIVE_WRITES + large)  # at the source, and at the destination
    yield Line(f"{written:,.0f} write units of the tables on demand", prices.writes(written, _CLASS))
    read = 30 * (COPIED_ITEMS + LIVE_WRITES + large)
    yield Line(f"{read:,.0f} read units of copy, verify and comparisons", prices.reads(read, _CLASS))
    kept = 2 * seconds * (SHARDS * (_RENEWALS_A_SECOND + _CHECKPOINTS_A_SECOND) + 1)
    yield Line(
        f"{kept:,.0f} write units of two tasks' own tables: {SHARDS} shards each, {MINUTES} minutes, "
        f"{_CHECKPOINTS_A_SECOND:.0f} checkpoints a second",
        prices.writes(kept, _CLASS) + prices.reads(kept, _CLASS),
    )
    polled = 2 * seconds * SHARDS * _STREAM_READS_A_SECOND
    yield Line(f"{polled:,.0f} reads of two streams, without the free ones", prices.stream_reads(polled))
    hours = MINUTES / 60 + 1  # an hour that has begun is paid
    units = (SOURCE_UNITS, DESTINATION_UNITS, INDEX_UNITS)
    reads, writes = (sum(each[part] for each in units) for part in (0, 1))
    yield Line(
        f"{reads} read and {writes} write units, provisioned for {hours:.0f} hours",
        hours * (reads * _READ_UNIT_HOUR + writes * _WRITE_UNIT_HOUR),
    )
    gigabytes = 4 * (1024 * written + BURST_ITEMS * BURST_BYTES) / 1024**3
    yield Line(f"{gigabytes * 1000:,.0f} MB between the regions", gigabytes * _GIGABYTE_BETWEEN_REGIONS)


def lines(*, run: str, source: str, destination: str, where: str, roles: bool) -> Iterator[str]:
    """The plan, for whoever is asked for a yes."""
    yield f"Run {run}, {where}, {source} and {destination}. It makes, and removes at its end:"
    yield f"  2 tables on demand, {source} -> {destination}; 2 provisioned ones, {destination} -> {source}"
    yield "  up to 4 tables of each of the two tasks, where its source is"
    if roles:
        yield "  3 IAM roles with the policies that ./run.sh policy prints, if you may make roles"
    yield "No bucket, no alarm, no metric. All names have replicator-proof- and the run in them, all is tagged."
    yield f"Cost on AWS: at most {dollars():.2f} $ (list prices of {prices.REGION}, {prices.AS_OF}, times"
    yield f"{_DEAREST_REGION:.0f} for the dearest region; free tiers left out), of which"
    for line in costs():
        yield f"  {line.dollars:.4f} $  {line.what}"
    yield f"It takes some 20 minutes on AWS; the sum is that of {MINUTES} minutes."
