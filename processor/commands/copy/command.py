"""``run.sh copy``: checks what must be ready, says what the copy will cost, runs it, and reports."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial

import msgspec

from processor.aws.clients import Clients
from processor.commands.copy import lock, occupant, plan
from processor.commands.copy.crew import clients_of
from processor.commands.copy.job import Job, Tell
from processor.commands.copy.options import CopyOptions
from processor.commands.copy.remeasure import Remeasure
from processor.commands.copy.report import ForgetReport, Tables, nothing_done, show, show_plan, start_before
from processor.commands.copy.s3 import transfer
from processor.dynamodb import table_spec, time_to_live
from processor.dynamodb.expiry import NEVER, NO_EXPIRY, Expiry, PastTtl
from processor.errors import NotReadyError, StoppedError, UsageError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.metrics import instruments
from processor.metrics.command_metrics import CommandMetrics
from processor.reporting import logs, output
from processor.reporting.findings import Finding, warning
from processor.reporting.logs import Log
from processor.reporting.progress import Bar
from processor.settings.settings import Settings
from processor.settings.table_pair import table_identity
from processor.startup import destination as creation
from processor.startup import preflight
from processor.startup.facts import Facts
from processor.state import copy_rows
from processor.system import program
from processor.system.signals import Signals

_NOTHING = "Nothing was copied."


def run(settings: Settings, options: CopyOptions) -> int:
    """Copy the source table, or what is left of it.

    :returns: 0; 130 or 143 where a signal ended it
    :raises NotReadyError: something must be put right first
    :raises ReplicatorError: it could not be finished; the same command goes on
    """
    if options.via_s3 is not None and options.concurrent:
        message = "--viaS3 makes a table of its own, which nothing replicates to yet: leave --concurrent out."
        raise UsageError(message)
    if options.via_s3 is not None and (settings.views_items or settings.keeps_expired):
        message = (
            "--viaS3 has DynamoDB itself export and import every item whole: the settings that filter, mask, rename or "
            "add can't take part in it, nor ttlDeletes=ignore. Nothing was copied. Copy without --viaS3."
        )
        raise UsageError(message)
    clients = clients_of(settings)
    if options.forget:
        return _forget(settings, clients, options)
    signals = Signals("Stopping after what is in hand; once more ends it at once.")
    try:
        return _run(settings, options, clients, signals.stop)
    except StoppedError as exc:
        if not signals.number:
            raise
        output.say(f"{program.NAME}: {exc}")
        return signals.exit_status


def _run(settings: Settings, options: CopyOptions, clients: Clients, stop: threading.Event) -> int:
    # An import makes its table itself.
    asked = msgspec.structs.replace(settings, create_destination=settings.create_destination and not options.via_s3)
    made = [] if options.dry_run else creation.ensure(asked, clients, output.say, stop=stop)
    unmade = {finding.object for finding in made if finding.severity == "error"}
    ready = preflight.copying(
        settings, clients, to_new_table=options.via_s3 is not None, foreseen=options.dry_run or bool(unmade)
    )
    # What is wrong with a table that could not be made is said once, by the reason.
    findings = made + [each for each in ready.findings if each.object not in unmade and each not in made]
    preflight.insist(findings, _NOTHING)
    facts = ready.facts
    job = Job(
        settings, clients, facts, options.via_s3, concurrent=options.concurrent, restart=options.restart, say=output.say
    )
    if job.is_done:
        output.say(f"This table was copied already, {job.copy.items:,} items. Nothing to do; --restart copies it anew.")
        if options.as_json:
            done = nothing_done(job.copy, replicating=job.is_replicating, dry_run=options.dry_run)
            output.json(msgspec.structs.replace(done, findings=findings))
        return 0
    if job.copy.via:
        found = transfer.findings(settings, clients, job.copy.via, begun=bool(job.copy.export_arn))
        preflight.insist(list(found), _NOTHING)
        findings += found
    logs.configure()
    outage = Outage(Log(), "copy_delayed", note="Nothing is lost: it is tried again.")
    retry = Retry(retry_policy.COMMAND, stop, outage)
    planned, found = plan.make(settings, clients, facts, job, retry)
    preflight.insist(found, _NOTHING)
    findings += found
    shown, found = _tables(settings, clients, facts, retry)
    findings += found
    if not (options.dry_run and options.as_json):
        show_plan(planned, shown, settings)
    preflight.insist(found, _NOTHING)
    if job.waits_for_replication:
        output.say(start_before(job.copy.started_ms))
    past_ttl = NEVER if job.copy.via else _past_ttl(settings, clients, retry)
    of_plan = {"plan": planned, "planned_seconds": planned.seconds, "tables": shown, "findings": findings}
    if options.dry_run:
        if options.as_json:
            begun = nothing_done(job.copy, replicating=job.is_replicating, dry_run=True, copied_items=job.copied_items)
            output.json(msgspec.structs.replace(begun, **of_plan))
        return 0
    seen = Remeasure(planned, concurrent=job.copy.concurrent, say=output.say)
    report = job.run(
        outage=outage,
        stop=stop,
        shown=lambda: _shown(settings),
        past_ttl=past_ttl,
        expiry=_kept(settings, clients, retry),
        written=seen.look,
    )
    if report.expired:
        _look_at_ttl_again(settings, clients, retry, job.copy.ttl)
    show(msgspec.structs.replace(report, **of_plan), settings, as_json=options.as_json)
    return 0


@contextlib.contextmanager
def _shown(settings: Settings) -> Iterator[Tell]:
    """Show the progress to people, and to Prometheus."""
    with (
        Bar() as bar,
        CommandMetrics(settings, items=instruments.COPY_ITEMS, progress=instruments.COPY_PROGRESS) as metrics,
    ):

        def tell(items: int, expected: int, words: str) -> None:
            bar.update(items, expected, words)
            metrics.tell(items, expected)

        yield tell


def _tables(settings: Settings, clients: Clients, facts: Facts, retry: Retry) -> tuple[Tables, list[Finding]]:
    """Describe the tables and what the destination holds, to be shown before anything is written."""
    source, destination = (
        table_identity(settings, "source", facts.source),
        table_identity(settings, "destination", facts.destination),
    )
    occupants, findings = None, list[Finding]()
    is_there = facts.destination is not None and "destination" not in facts.to_make
    if facts.source is not None and is_there:
        key_names = [part["AttributeName"] for part in facts.source["KeySchema"]]
        occupants, findings = occupant.look(settings, clients, key_names, retry)
    if occupants is not None:
        findings += occupant.findings(occupants, destination, begun=bool(facts.leases))
    return Tables(
        source=source,
        destination=destination,
        occupants=occupants,
        to_make=sorted(facts.to_make),
        shape=table_spec.shown(facts.destination) if "destination" in facts.to_make and facts.destination else "",
    ), findings


def _past_ttl(settings: Settings, clients: Clients, retry: Retry) -> PastTtl:
    past, unknown = time_to_live.of_source(settings, clients, retry.ask)
    preflight.insist(unknown, "")  # warnings
    if past.attribute is not None:
        output.say(f"  Items past the source's TTL ({past.attribute}) are not copied: DynamoDB is about to delete them")
    return past


def _kept(settings: Settings, clients: Clients, retry: Retry) -> Expiry:
    """Which items stay at the destination although the source has deleted them."""
    return time_to_live.of_both(settings, clients, retry.ask)[0] if settings.keeps_expired else NO_EXPIRY


def _look_at_ttl_again(settings: Settings, clients: Clients, retry: Retry, before: str) -> None:
    """Warn if the source's TTL has changed: items past it were not copied, as the source was about to delete them."""
    now, _ = time_to_live.of_source(settings, clients, retry.ask)
    if now.attribute != before:
        is_now = f"is on {now.attribute}" if now.attribute else "is off, or not for us to see,"
        found = warning(
            "source-ttl-changed",
            f"TTL of source table {settings.source_table}",
            f"was on {before} when the copy began, and {is_now} now",
            "Items that were past it were not copied, and may stay at the source now",
            "Run verify: it names what is missing, and --repair writes it",
        )
        preflight.insist([found], "")


def _forget(settings: Settings, clients: Clients, options: CopyOptions) -> int:
    read = partial(copy_rows.read, clients.checkpoints(), settings.task_table)
    found = lock.insist_free(lock.look(read, output.say))
    if found is None:
        output.say("There is no copy to forget.")
    else:
        in_hand = sum(len(each.in_hand) for each in copy_rows.read_in_hand(clients.checkpoints(), settings.task_table))
        if in_hand:
            message = (
                f"This task's copy was stopped with {in_hand:,} keys in hand, which may hold older items at the "
                "destination now, or some that are deleted. It is not forgotten, for then they would stay. Let copy "
                "--concurrent run to its end, which brings them up to date first; where it can't go on, with --restart."
            )
            raise NotReadyError(message)
        copy_rows.delete(clients.checkpoints(), settings.task_table, before=found)
        output.say("The copy is forgotten. What it has written stays at the destination.")
    if options.as_json:
        output.json(ForgetReport(forgotten=found is not None))
    return 0
