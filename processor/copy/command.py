"""``run.sh copy``: what must be ready, what it will cost, how far it is, and what came of it."""

from __future__ import annotations

import sys

import msgspec

from processor import logs, preflight
from processor.copy import estimate, holder, state
from processor.copy.estimate import Estimate
from processor.copy.job import Job
from processor.copy.report import show, show_plan
from processor.dynamodb import Clients
from processor.errors import NotReadyError, StoppedError
from processor.findings import Finding, error
from processor.lease_term import WriteTimeouts
from processor.logs import Log
from processor.preflight import Report as Ready
from processor.progress import Bar
from processor.retry import Outage
from processor.settings import Settings
from processor.signals import Signals

# Together 8 s: less than ``holder.WATCH_SECONDS`` leaves of a term.
TIMEOUTS = WriteTimeouts(connect=1, read=5)
# Calls of one segment at once: its writes go through one pool, its reads one after the other.
_CONNECTIONS_PER_THREAD = 2


class Options(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the command line says beside the settings."""

    concurrent: bool = False
    restart: bool = False
    forget: bool = False
    dry_run: bool = False
    json: bool = False


def run(settings: Settings, options: Options) -> int:
    """Copy the source table, or what is left of it.

    :returns: 0; 130 or 143 where a signal ended it
    :raises NotReadyError: something must be put right first
    :raises ReplicatorError: it could not be finished; the same command goes on
    """
    clients = Clients(settings, connections=settings.apply_threads * _CONNECTIONS_PER_THREAD)
    if options.forget:
        return _forget(settings, clients)
    ready = preflight.copying(settings, clients)
    plan, findings = _plan(settings, options, ready)
    for finding in findings:
        print(finding.text, file=sys.stderr)
    if any(finding.severity == "error" for finding in findings) or plan is None:
        message = "What stands above must be put right first. Nothing was copied."
        raise NotReadyError(message)
    if options.dry_run:
        show_plan(plan, settings, as_json=options.json)
        return 0
    job = Job(
        settings,
        clients,
        ready.facts,
        plan,
        concurrent=options.concurrent,
        restart=options.restart,
        say=_say,
    )
    if job.is_done:
        _say(f"This table was copied already, {job.copy.items:,} items. Nothing to do; --restart copies it anew.")
        if options.json:
            print(msgspec.json.encode(job.copy).decode())
        return 0
    show_plan(plan, settings, as_json=False)
    signals = Signals("Stopping after the pages in hand; once more ends it at once.")
    try:
        with Bar() as bar:
            logs.configure()
            outage = Outage(Log(), "copy_delayed", note="Nothing is lost: it is tried again.")
            report = job.run(outage=outage, stop=signals.stop, bar=bar)
    except StoppedError as exc:
        if not signals.number:
            raise
        _say(f"run.sh: {exc}")
        return signals.exit_status
    show(report, settings, as_json=options.json)
    return 0


def _forget(settings: Settings, clients: Clients) -> int:
    found = holder.wait_until_free(lambda: state.read(clients.checkpoints(), settings.task_table), _say)
    if found is None:
        print("There is no copy to forget.", file=sys.stderr)
    else:
        state.delete(clients.checkpoints(), settings.task_table)
        print("The copy is forgotten. What it has written stays at the destination.", file=sys.stderr)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _plan(settings: Settings, options: Options, ready: Ready) -> tuple[Estimate | None, list[Finding]]:
    findings = list(ready.findings)
    if ready.errors or ready.facts.source is None or ready.facts.destination is None:
        return None, findings
    rates: dict[str, float | None] = {}
    for name, limit, table, kind in (
        ("copyReadUnits", settings.copy_read_units, ready.facts.source, "ReadCapacityUnits"),
        ("copyWriteUnits", settings.copy_write_units, ready.facts.destination, "WriteCapacityUnits"),
    ):
        try:
            rates[name] = estimate.rate(limit or "100%", table, kind)
        except ValueError as exc:
            rates[name] = None
            if limit is not None:
                findings.append(error(name, str(exc), "It says nothing then", "Give units a second, or leave it out"))
    plan = estimate.estimate(
        ready.facts.source,
        concurrent=options.concurrent,
        read_rate=rates["copyReadUnits"],
        write_rate=rates["copyWriteUnits"],
    )
    return plan, findings + estimate.findings(plan, concurrent=options.concurrent)
