"""``run.sh unmark``: sets a run up, watches for signals, and reports what was done."""

from __future__ import annotations

from functools import partial

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.aws.sessions import session
from processor.aws.timeouts import WriteTimeouts
from processor.commands.unmark.marked_table import MarkedTable
from processor.commands.unmark.options import UnmarkOptions
from processor.commands.unmark.run import THREADS, Unmark, UnmarkReport, asks_for
from processor.dynamodb.scanner import ScannableTable
from processor.errors import NotReadyError, UsageError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.rate_limiter import Capacity
from processor.flow.retry import Retry
from processor.replication.two_way.marker import Markers
from processor.reporting import logs, output, stoppable_run
from processor.reporting.logs import Log
from processor.reporting.progress import Progress
from processor.settings.settings import Settings
from processor.startup import preflight
from processor.state import leases, liveness, task_row
from processor.system.signals import Signals

CHANGED = 1
_TIMEOUTS = WriteTimeouts(connect=3, read=10)


def run(settings: Settings, options: UnmarkOptions) -> int:
    """Remove the markers of a two-way replication from the destination's items.

    :returns: 0; 1 if others wrote some items meanwhile, which another run finds; 130 or 143 if a signal ended it
    :raises UsageError: the task still is two-way
    :raises NotReadyError: a two-way daemon runs, or the tables don't exist
    :raises ReplicatorError: it could not be finished
    """
    if settings.two_way:
        message = (
            "twoWay=true: without markers what replication writes would be taken for an application's. Nothing was "
            "removed. Set twoWay=false, and begin the replication in one direction or stop it; then remove them."
        )
        raise UsageError(message)
    clients = Clients(settings, create=boto3_clients.create)
    ready = preflight.tables(settings, clients)
    preflight.insist(ready.findings, "Nothing was removed.")
    _insist_on_one_direction(settings, clients)
    logs.configure()
    signals = Signals("Stopping; the same command goes on later. Once more ends it at once.")
    progress = Progress()
    writing = Capacity(options.write_units, stop=signals.stop)
    assert ready.facts.destination is not None  # noqa: S101  # else there are errors
    unmark = Unmark(
        ScannableTable(
            settings.destination_table,
            region=settings.destination_region,
            connect=clients.destination,
            scan_filter=asks_for(settings.marker_attribute),
        ),
        None if options.dry_run else _table(settings, writing),
        markers=Markers(settings.marker_attribute),
        key_names=[part["AttributeName"] for part in ready.facts.destination["KeySchema"]],
        writing=writing,
        retry=Retry(
            retry_policy.COMMAND,
            signals.stop,
            Outage(Log(), "unmark_delayed", note="Nothing is lost: it is tried again."),
        ),
        stop=signals.stop,
        progress=progress.say,
    )
    stopped = stoppable_run.status_of(
        unmark.run,
        signals=signals,
        progress=progress,
        show_report=lambda: _show(unmark.report, settings, as_json=options.as_json),
    )
    return stopped or (CHANGED if unmark.report.changed else 0)


def _insist_on_one_direction(settings: Settings, clients: Clients) -> None:
    """See that no daemon writes markers.

    :raises NotReadyError: one does
    """
    row = task_row.read(clients.checkpoints(), settings.task_table)
    if row is None or not row.two_way_since_ms:
        return
    found = leases.read(clients.checkpoints(), settings.checkpoint_table) or []
    table, seconds = settings.checkpoint_table, settings.failover_seconds
    look = liveness.look(clients.checkpoints(), table, found, failover_seconds=seconds)
    if alive := [daemon.owner for daemon in look.daemons if daemon.alive]:
        message = (
            f"Task {settings.task_name}: daemon {', '.join(alive)} runs with twoWay=true, and writes markers. Nothing "
            "was removed. Stop it, or start it with twoWay=false."
        )
        raise NotReadyError(message)


def _table(settings: Settings, writing: Capacity) -> MarkedTable:
    return MarkedTable(
        settings.destination_table,
        region=settings.destination_region,
        endpoint=settings.destination_endpoint,
        make_session=partial(session, settings.destination_identity, region=settings.destination_region),
        connections=THREADS,
        timeouts=_TIMEOUTS,
        consumed=writing.consume,
    )


def _show(report: UnmarkReport, settings: Settings, *, as_json: bool) -> None:
    if as_json:
        output.json(report)
        return
    does = "would be removed" if report.dry_run else "removed"
    output.line(f"{settings.destination_table} ({settings.destination_region}), {report.read:,} items read")
    output.line(f"{report.unmarked:,} markers {does}")
    if report.changed:
        output.line(f"{report.changed:,} items were written by others meanwhile; run it once more.")
    if report.foreign:
        name = settings.marker_attribute
        output.line(f"{report.foreign:,} items have an attribute {name} that is no marker; it was left alone.")
    if not report.complete:
        output.line("It did not get through; the same command goes on.")
