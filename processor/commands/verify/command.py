"""``run.sh verify``: sets a comparison up, watches for signals, and reports what was found."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from mmap import mmap

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.commands.verify import outcome, pace, rolling, terms
from processor.commands.verify.assembly import Assembly, retry
from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.digests import DifferingBuckets, bucket_count
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.pace import Pace
from processor.commands.verify.recheck import pause_seconds
from processor.commands.verify.render import show
from processor.commands.verify.report import OutputFile, Results, VerifyReport
from processor.commands.verify.rolling import Rolling
from processor.commands.verify.shared.shared_pass import SharedPass
from processor.commands.verify.task import VerifyTask
from processor.dynamodb import time_to_live
from processor.errors import StoppedError, UsageError
from processor.reporting import logs, output
from processor.settings import attribute_paths
from processor.settings.settings import Settings
from processor.settings.table_pair import table_identity
from processor.startup import preflight
from processor.startup.facts import Facts
from processor.system import program
from processor.system.signals import Signals
from processor.view import task_view

DIFFERENCES = 1


def run(settings: Settings, options: VerifyOptions, *, pause: Callable[[int], float] = pause_seconds) -> int:
    """Compare the destination with the source, and make it equal if that is asked for.

    :param pause: the wait before a key is read again for the n-th time
    :returns: 0 if they are equal, or were made equal; 1 if they aren't; 130 or 143 if a signal ended it
    :raises UsageError: an option can't be used
    :raises NotReadyError: the tables are not there, or don't belong together
    :raises ReplicatorError: it could not be finished
    """
    _insist_usable(options)
    if options.rolling:
        settings, options = rolling.settings_of(settings), rolling.options_of(settings, options)
    clients = Clients(settings, create=boto3_clients.create)
    ready = preflight.tables(settings, clients)
    preflight.insist(ready.findings, "Nothing was compared, and nothing written.")
    form = _form(settings, options, ready.facts)
    assert ready.facts.source is not None  # noqa: S101  # else there are errors
    reading = _pace(settings, options, ready.facts)
    digest = task_view.digest_of(settings)
    view = task_view.of_source(settings, ready.facts.source)
    if options.repair:
        _say_what_is_written(settings, options, ready.facts)
    logs.configure()
    report = VerifyReport(dry_run=options.dry_run, sample_percent=None if options.share == 1 else options.share * 100)
    with _output(settings, options) as write:
        results = Results(report, show=options.show, write=write)
        signals = Signals("Stopping; once more ends it at once.")
        try:
            expiry, unknown = time_to_live.of_both(settings, clients, retry(signals.stop).ask)
            preflight.insist(unknown, "")  # warnings
            task = VerifyTask(
                settings=settings,
                source=ready.facts.source,
                destination=ready.facts.destination or {},
                form=form,
                expiry=expiry,
                then=expiry.now(),
                shows_expired=options.expired,
                differing=None if options.share < 1 or options.shared else _no_differing(ready.facts),
                pace=reading,
            )
            began_ms = _now_ms()
            stop = signals.stop
            if options.shared:
                shared = SharedPass(
                    task, options, clients=clients, view=view, view_digest=digest, write=write, pause=pause, stop=stop
                )
                began_ms = shared.run(report)
            else:
                with contextlib.ExitStack() as stack:
                    kept = stack.enter_context(_kept(task, clients, digest, stop)) if options.rolling else None
                    assembly = Assembly(
                        task, options, clients=clients, results=results, view=view, stop=stop, stack=stack, rolling=kept
                    )
                    assembly.comparison(pause=pause).run()
                    if kept is not None:
                        kept.finish(report)
            if outcome.is_whole(report, options):
                outcome.note_view(settings, clients, digest, report)
                if not options.rolling:
                    found = outcome.verified(report, through_ms=began_ms, ended_ms=_now_ms())
                    outcome.note_counts(settings, clients, found)
        except StoppedError as exc:
            output.say(f"{program.NAME}: {exc}")
            return signals.exit_status
        finally:
            show(report, settings, options)
    return DIFFERENCES if report.differing else 0


def _insist_usable(options: VerifyOptions) -> None:
    if options.dry_run and not options.repair:
        message = "--dryRun says what --repair would do; without it nothing is ever written. Give both, or neither."
        raise UsageError(message)
    if options.delete_extra and not options.repair:
        message = "--deleteExtra says what --repair may do; without it nothing is ever deleted. Give both, or neither."
        raise UsageError(message)
    if options.shared and options.share < 1:
        message = "--sample compares so few items that one machine does it: give it without --shared."
        raise UsageError(message)
    if options.shared and options.values:
        message = (
            "--values shows parts of items, and what a verification that is --shared finds is kept in the task's table "
            "while it is under way, where none belong: leave it out, or give it without --shared."
        )
        raise UsageError(message)


def _no_differing(facts: Facts) -> DifferingBuckets:
    """Buckets for the items of both tables, none of which is known to differ; forked processes share them."""
    items = max(int((table or {}).get("ItemCount", 0)) for table in (facts.source, facts.destination))
    return DifferingBuckets(mmap(-1, bucket_count(items)))


def _now_ms() -> int:
    return int(time.time() * 1000)


def _pace(settings: Settings, options: VerifyOptions, facts: Facts) -> Pace:
    source, destination = facts.source or {}, facts.destination or {}
    if options.rolling:
        return rolling.pace_of(settings, source, destination)
    return pace.of_setting(settings.verify_read_units, source, destination)


def _kept(task: VerifyTask, clients: Clients, digest: str, stop: threading.Event) -> Rolling:
    """The pass that is to be gone on with, or a new one."""
    return Rolling(
        clients.checkpoints,
        task.settings.task_table,
        scope="/".join(terms.compared(task, view_digest=digest).values()),
        source=task.source,
        destination=task.destination,
        retry=retry(stop),
    )


def _say_what_is_written(settings: Settings, options: VerifyOptions, facts: Facts) -> None:
    """Show both tables before anything is written, so that a wrong table or account is noticed."""
    output.say(table_identity(settings, "source", facts.source).shown)
    output.say(table_identity(settings, "destination", facts.destination).shown)
    does = "would be" if options.dry_run else "is"
    output.say(f"What is missing or different at the destination {does} written as the source has it.")
    if options.delete_extra:
        output.say(f"What only the destination has {does} deleted there, whoever wrote it.")


@contextlib.contextmanager
def _output(settings: Settings, options: VerifyOptions) -> Iterator[Callable[[bytes], None]]:
    """The function that writes the lines of ``--output``."""
    if options.output is None:
        yield lambda _: None
        return
    with OutputFile(options.output, shared=settings.allow_shared_folders) as file:
        yield file.write


def _form(settings: Settings, options: VerifyOptions, facts: Facts) -> CanonicalForm:
    assert facts.source is not None  # noqa: S101  # else there are errors
    key_names = [part["AttributeName"] for part in facts.source["KeySchema"]]
    for path in options.ignore:
        if path[0] in key_names:
            message = (
                f"--ignore {attribute_paths.shown(path)}: {path[0]} is of the key, without which no item can be found "
                "in the other table. Leave it out."
            )
            raise UsageError(message)
    ignored = [*options.ignore]
    if settings.fence_attribute not in key_names:
        ignored.append((settings.fence_attribute,))
    if settings.two_way:
        ignored.append((settings.marker_attribute,))
    return CanonicalForm(key_names, ignored=ignored, salt=os.urandom(16))
