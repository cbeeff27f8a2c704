"""The report of ``run.sh verify``, for people or for scripts."""

from __future__ import annotations

import msgspec
from rich.table import Table

from processor.commands.verify import marked as marked_items
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.report import Found, PathDifference, VerifyReport
from processor.reporting import output
from processor.reporting.rich_console import PrintableConsole
from processor.settings.settings import Settings

# The most paths shown of one key; --json and --output have all.
_SHOWN_PATHS = 10


def show(report: VerifyReport, settings: Settings, options: VerifyOptions) -> None:
    """Print it on standard output."""
    if options.as_json:
        output.json(report)
        return
    source = f"{settings.source_table} ({settings.source_region}), {report.source_items:,} items read"
    destination = (
        f"{settings.destination_table} ({settings.destination_region}), {report.destination_items:,} items read"
    )
    output.line(f"source       {source}")
    output.line(f"destination  {destination}")
    if report.sample_percent is not None:
        output.line(f"A sample of about {report.sample_percent:g} % of each; the counts are the sample's.")
    PrintableConsole().print(_counts(report))
    for found in report.keys:
        _print(found, options)
    more = report.missing + report.extra + report.different - sum(found.at is None for found in report.keys)
    if more > 0:
        output.line(f"and {more:,} more keys; --show N names more of them, --output FILE {_all(options)}")
    if options.repair and report.extra and not options.delete_extra:
        output.line(
            f"{report.extra:,} keys that only the destination has were left alone; --repair --deleteExtra deletes them."
        )
    if report.changing:
        output.line("Keys that change at each look can't be judged; compare again when the source is written to less.")
    if not report.complete:
        output.line("It did not get through: the counts are of what was compared so far.")


def _all(options: VerifyOptions) -> str:
    return "on each machine all that it has found" if options.shared else "all"


def _counts(report: VerifyReport) -> Table:
    table = Table()
    table.add_column("outcome")
    table.add_column("keys", justify="right")
    table.add_row("equal", f"{report.equal:,}")
    table.add_row("missing at the destination", f"{report.missing:,}")
    table.add_row("extra at the destination", f"{report.extra:,}")
    table.add_row("different", f"{report.different:,}")
    if report.source_expired or report.destination_expired:
        table.add_row("past their TTL at the source", f"{report.source_expired:,}")
        table.add_row("past their TTL at the destination", f"{report.destination_expired:,}")
    if report.changing:
        table.add_row("changing all the time", f"{report.changing:,}")
    if report.repaired:
        table.add_row("of those three, repaired", f"{report.repaired:,}")
    return table


def _print(found: Found, options: VerifyOptions) -> None:
    where = f": past its TTL, at {'the ' * (found.at != 'both')}{found.at}" if found.at else ""
    marked = f": {marked_items.SHOWN[found.marker]}" if found.marker else ""
    output.line(f"{found.outcome:9}  {bytes(found.key).decode()}{where}{marked}{_repair(found, options)}")
    for place in found.paths[:_SHOWN_PATHS]:
        output.line(f"             {place.path} {place.kind}{_values(place)}")
    if len(found.paths) > _SHOWN_PATHS:
        output.line(f"             and {len(found.paths) - _SHOWN_PATHS} more paths")


def _repair(found: Found, options: VerifyOptions) -> str:
    repair = found.repair
    if repair is None:
        return ": left alone" if options.repair and found.outcome == "extra" else ""
    if repair.done is None:
        return f": would {repair.write} it"
    return ": repaired" if repair.done else f": not repaired: {repair.reason}"


def _values(place: PathDifference) -> str:
    values = [
        f"{side} {msgspec.json.encode(value).decode()}"
        for side, value in (("source", place.source), ("destination", place.destination))
        if value is not None
    ]
    return f": {', '.join(values)}" if values else ""
