"""Says what a copy is going to do, and what it did, to people and to scripts."""

from __future__ import annotations

import time

import msgspec

from processor.commands.copy import prices
from processor.commands.copy.estimate import Estimate
from processor.commands.copy.occupant import Occupants
from processor.dynamodb.stream_retention import LAST_START_SECONDS
from processor.reporting import output
from processor.settings.settings import Settings
from processor.settings.table_pair import TableIdentity


class CopyReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a copy did. ``items`` includes ``items_before``, those of earlier runs; units are this run's.

    ``replicating``: replication had begun beside it at its end.
    ``onto_items``: the destination held items already, of which the source may have deleted some.
    ``expired``: the source's items past their TTL, which were not copied. ``filtered``: those that the settings leave
    out.
    """

    items: int
    size_bytes: int
    items_before: int
    set_aside: int
    expired: int = 0
    filtered: int = 0
    seconds: float
    read_units: float
    write_units: float
    throttles: int
    concurrent: bool
    replicating: bool
    onto_items: bool
    started_ms: int


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """What is copied to where; ``occupants`` is None where there is no table yet, or it may not be looked into."""

    source: TableIdentity
    destination: TableIdentity
    occupants: Occupants | None


def show_plan(plan: Estimate, tables: Tables, settings: Settings) -> None:
    """Say the plan on standard error."""
    output.say(f"Copying {settings.path}")
    output.say(f"  {tables.source.shown}")
    held = f": {tables.occupants.shown}; {_counted(tables.destination)}" if tables.occupants else ""
    output.say(f"  {tables.destination.shown}{held}")
    output.say(f"  to copy: {plan.items:,} items, {_size(plan.size_bytes)}, as DescribeTable last counted them")
    if not plan.parts:
        output.say(f"  export and import: {prices.shown(plan.dollars or 0.0)} ({prices.WORDS})")
        output.say("  some minutes at least; AWS does not say how long before it has begun")
        return
    output.say(f"  {plan.read_units:,} read units, {plan.write_units:,} write units{_by_part(plan)}")
    if plan.dollars is not None:
        output.say(f"  {prices.shown(plan.dollars)} for what is on demand ({prices.WORDS})")
    output.say(f"  about {duration(plan.seconds)}: {_reason(plan)}")


def show(report: CopyReport, settings: Settings, *, as_json: bool) -> None:
    """Print what was copied: JSON on standard output, or words."""
    if as_json:
        output.json(report)
        return
    rate = (report.items - report.items_before) / report.seconds if report.seconds else 0.0
    output.line(f"Copied {report.items:,} items, {_size(report.size_bytes)}, of {settings.path}")
    output.line(
        f"  this run: {report.items - report.items_before:,} items in {duration(report.seconds)}, {rate:,.0f} a second"
    )
    output.line(
        f"  {report.read_units:,.1f} read units, {report.write_units:,.1f} write units, {report.throttles} throttles"
    )
    if report.set_aside:
        output.line(f"  {report.set_aside:,} items were refused and set aside: see redrive")
    if report.expired:
        output.line(
            f"  {report.expired:,} items past the source's TTL were not copied: DynamoDB is about to delete them"
        )
    if report.filtered:
        output.line(f"  {report.filtered:,} items were read and left out, by the settings")
    if not report.replicating:
        output.line(start_before(report.started_ms))
    if report.onto_items:
        output.line(
            "The destination held items before. Those that the source doesn't have are there still, be they deleted at "
            "the source since an earlier copy or somebody else's: once replication has caught up, verify names them. "
            "verify --repair --deleteExtra would delete every one of them."
        )


def start_before(started_ms: int) -> str:
    """The time until which a replication that has not begun must be started, in words."""
    until = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(started_ms / 1000 + LAST_START_SECONDS))
    return f"Start the replication before {until}: until then the stream has every change since the copy began."


def _counted(table: TableIdentity) -> str:
    return f"{table.items:,} items, as DescribeTable last counted them"


def _size(size_bytes: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size_bytes < 1000:  # noqa: PLR2004  # the next unit
            return f"{size_bytes:,.0f} {unit}" if unit == "B" else f"{size_bytes:,.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:,.1f} TB"


def duration(seconds: float) -> str:
    """In the unit that people would use."""
    if seconds < 120:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004


def _reason(plan: Estimate) -> str:
    if plan.seconds == plan.seconds_by_write_units:
        return f"by the write units a second of {_whose(plan.limited_by)}"
    if plan.seconds == plan.seconds_by_read_units:
        return "by the read units a second"
    return "by the measured rate of one machine"


def _whose(name: str) -> str:
    return name if name == "copyWriteUnits" else f"the destination's {name}"


def _by_part(plan: Estimate) -> str:
    """Where an item stands in indexes, what each takes."""
    if len(plan.parts) == 1:
        return ""
    units = (f"{part.name} {part.units_per_item * plan.items:,.0f}" for part in plan.parts)
    return f" ({', '.join(units)})"
