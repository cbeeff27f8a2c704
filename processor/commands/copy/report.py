"""Says what a copy is going to do, and what it did, to people and to scripts."""

from __future__ import annotations

import time

import msgspec

from processor.commands.copy.estimate import Estimate
from processor.commands.copy.occupant import Occupants
from processor.dynamodb import prices
from processor.dynamodb.stream_retention import LAST_START_SECONDS
from processor.reporting import output
from processor.reporting.findings import Finding
from processor.settings.settings import Settings
from processor.settings.table_pair import TableIdentity
from processor.state.copy_rows import CopyState

# From here on a duration is told in days.
_DAYS_SECONDS = 2 * 86_400


class Tables(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is copied to where.

    :param occupants: None where there is no table yet, or it may not be looked into
    :param to_make: what the copy makes first: ``destination``, ``stream``
    :param shape: billing mode and indexes of a destination that is to be made, for people
    """

    source: TableIdentity
    destination: TableIdentity
    occupants: Occupants | None
    to_make: list[str] = []
    shape: str = ""


class CopyReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a copy did. ``items`` includes ``items_before``, those of earlier runs; units are this run's.

    ``replicating``: replication had begun beside it at its end.
    ``onto_items``: the destination held items already, of which the source may have deleted some.
    ``expired``: the source's items past their TTL, which were not copied. ``filtered``: those that the settings leave
    out.
    ``plan`` is what was left to copy when this run began, and ``planned_seconds`` the time that it takes; both and
    ``tables`` are None where nothing was left. With ``dry_run`` nothing was done; it is ``complete`` if all is copied.
    ``findings`` has the warnings; ``ready`` is True, since ``failure.py`` has another report for what can't begin.
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
    ready: bool = True
    complete: bool = True
    dry_run: bool = False
    plan: Estimate | None = None
    planned_seconds: float | None = None
    tables: Tables | None = None
    findings: list[Finding] = []


class ForgetReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What ``--forget`` did. ``forgotten`` is False where there was no copy to forget."""

    forgotten: bool


def show_plan(plan: Estimate, tables: Tables, settings: Settings) -> None:
    """Say the plan on standard error."""
    output.say(f"Copying {settings.path}")
    output.say(f"  {tables.source.shown}")
    output.say(f"  {_destination(tables)}")
    if "stream" in tables.to_make:
        output.say("  the source's stream is off: the copy will turn it on")
    output.say(f"  to copy: {plan.items:,} items, {_size(plan.size_bytes)}, as DescribeTable last counted them")
    if not plan.parts:
        output.say(f"  export and import: {prices.shown(plan.dollars or 0.0)} ({prices.WORDS})")
        output.say("  some minutes at least; AWS does not say how long before it has begun")
        return
    output.say(f"  {plan.read_units:,} read units, {plan.write_units:,} write units{_by_part(plan)}")
    output.say(f"  {_price(plan)}")
    output.say(f"  about {duration(plan.seconds)}: {_reason(plan)}")


def nothing_done(copy: CopyState, *, replicating: bool, dry_run: bool, copied_items: int = 0) -> CopyReport:
    """The report of a run that has copied nothing: a dry run, or one after which nothing was left.

    :param copied_items: what earlier runs have copied of a copy that is not done
    """
    is_done = copy.state == "done"
    items = copy.items if is_done else copied_items
    return CopyReport(
        items=items,
        size_bytes=copy.size_bytes if is_done else 0,
        items_before=items,
        set_aside=0,
        expired=copy.expired if is_done else 0,
        filtered=copy.filtered if is_done else 0,
        seconds=0.0,
        read_units=0.0,
        write_units=0.0,
        throttles=0,
        concurrent=copy.concurrent,
        replicating=replicating,
        onto_items=copy.onto_items,
        started_ms=copy.started_ms,
        complete=is_done,
        dry_run=dry_run,
    )


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


def _destination(tables: Tables) -> str:
    if "destination" in tables.to_make:
        there = tables.destination
        at = f" at {there.endpoint}" if there.endpoint else ""
        return (
            f"destination  {there.table} in {there.region}{at}: the copy will make it like the source, {tables.shape}"
        )
    held = f": {tables.occupants.shown}; {_counted(tables.destination)}" if tables.occupants else ""
    return f"{tables.destination.shown}{held}"


def _price(plan: Estimate) -> str:
    if plan.dollars is None:
        return "no price: neither table is at AWS's own endpoint"
    if not plan.dollars and plan.items:
        return "no charge for requests: both tables are provisioned, which is paid by the hour"
    return f"{prices.shown(plan.dollars)} for what is on demand ({prices.WORDS})"


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
    if seconds < 7200:  # noqa: PLR2004
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < _DAYS_SECONDS else f"{seconds / 86_400:.1f} days"


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
