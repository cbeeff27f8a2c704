"""``run.sh redrive``: sets a redrive up, watches for signals, and reports what became of the letters."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.aws.timeouts import WriteTimeouts
from processor.commands.redrive.options import RedriveOptions
from processor.commands.redrive.run import KeyResult, Redrive, RedriveReport, Unusable
from processor.dynamodb import time_to_live
from processor.errors import UsageError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.replication import tables
from processor.replication.dead_letters import stores
from processor.reporting import logs, output, stoppable_run
from processor.reporting.logs import Log
from processor.reporting.progress import Progress
from processor.reporting.rich_console import PrintableConsole
from processor.settings.settings import Settings
from processor.startup import preflight
from processor.system.signals import Signals
from processor.view import task_view

STILL_FAILING = 1
# Either way nothing is lost.
STOPPING = "Stopping after the keys in hand; once more ends it at once."
# A redrive holds no lease, so its calls may take longer than replication's.
_TIMEOUTS = WriteTimeouts(connect=3, read=10)
# The most lines of each kind in a report for people.
SHOWN = 20


def run(settings: Settings, options: RedriveOptions) -> int:
    """Bring the keys of all dead letters up to date.

    :returns: 0; 1 if some letters remain that another run would find again; 130 or 143 if a signal ended it
    :raises UsageError: ``deadLetterUri`` is not set
    :raises NotReadyError: the tables don't exist, or don't belong together
    :raises ReplicatorError: it could not be finished
    """
    store = stores.of_letters(settings)
    if store is None:
        message = "deadLetterUri is not set, so there are no dead letters to redrive. Give the one they were put to."
        raise UsageError(message)
    clients = Clients(settings, create=boto3_clients.create)
    ready = preflight.tables(settings, clients)
    preflight.insist(ready.findings, "Nothing was written, no dead letter was removed.")
    logs.configure()
    signals = Signals(STOPPING)
    progress = Progress()
    outage = Outage(Log(), "redrive_delayed", note="Nothing is lost: it is tried again.")
    expiry, unknown = time_to_live.of_both(settings, clients, Retry(retry_policy.COMMAND, signals.stop, outage).ask)
    preflight.insist(unknown, "")  # warnings
    assert ready.facts.source is not None  # noqa: S101  # else there are errors
    view = task_view.of_source(settings, ready.facts.source)
    redrive = Redrive(
        settings,
        store,
        source=tables.source(settings, clients, view=view),
        destination=tables.readable(settings, clients),
        table=tables.for_commands(settings, clients, timeouts=_TIMEOUTS, view=view),
        threads=settings.threads,
        outage=outage,
        stop=signals.stop,
        expiry=expiry,
        dry_run=options.dry_run,
        progress=progress.say,
    )
    stopped = stoppable_run.status_of(
        redrive.run,
        signals=signals,
        progress=progress,
        show_report=lambda: _show(redrive.report, store.place, as_json=options.as_json),
    )
    return stopped or (STILL_FAILING if redrive.report.still_failing else 0)


def _show(report: RedriveReport, place: str, *, as_json: bool) -> None:
    if as_json:
        output.json(report)
        return
    output.line(f"{report.letters} dead letters in {place}")
    table = Table()
    table.add_column("outcome")
    table.add_column("keys", justify="right")
    table.add_row("would be applied" if report.dry_run else "applied", str(report.applied))
    table.add_row("moot: source and destination are equal", str(report.moot))
    table.add_row("still failing", str(report.failing))
    if report.pending:
        table.add_row("not come to", str(report.pending))
    PrintableConsole().print(table)
    _list("Still failing", [_of_key(result) for result in report.results if result.outcome == "failing"])
    _list("Can't be understood, kept", [_of_place(each) for each in report.unreadable])
    _list("Of other replications, kept", [_of_place(each) for each in report.foreign])
    removed = "none, for this is a dry run" if report.dry_run else str(report.removed_letters)
    output.line(f"Letters removed: {removed}")


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        output.line(f"{title} ({len(lines)}):")
        for line in lines[:SHOWN]:
            output.line(f"  {line}")
        if len(lines) > SHOWN:
            output.line(f"  and {len(lines) - SHOWN} more; --json has all of them")


def _of_key(result: KeyResult) -> str:
    return f"{bytes(result.key).decode()} ({', '.join(result.letters)}): {result.reason}"


def _of_place(found: Unusable) -> str:
    return f"{found.place}: {found.reason}"
