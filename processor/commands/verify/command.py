"""``run.sh verify``: sets a comparison up, watches for signals, and reports what was found."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.aws.timeouts import WriteTimeouts
from processor.commands.verify.canonical_form import CanonicalForm
from processor.commands.verify.comparison import Comparison, Step
from processor.commands.verify.judge import Judge
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.recheck import Recheck, pause_seconds
from processor.commands.verify.render import show
from processor.commands.verify.repair import Repair, Tell, keeping_extra, would_repair
from processor.commands.verify.report import Found, OutputFile, Results, VerifyReport
from processor.commands.verify.table_side import TableSide
from processor.commands.verify.unviewable import without_failing
from processor.dynamodb import time_to_live
from processor.dynamodb.keys import key_reader
from processor.errors import RefusedError, StoppedError, UnavailableError, UsageError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.worker_group import WorkerGroup
from processor.metrics import instruments
from processor.metrics.command_metrics import CommandMetrics
from processor.replication import tables
from processor.replication.fences import Fences
from processor.reporting import logs, output
from processor.reporting.logs import Log
from processor.reporting.progress import Bar
from processor.settings import attribute_paths
from processor.settings.settings import Settings
from processor.settings.table_pair import table_identity
from processor.startup import preflight
from processor.startup.facts import Facts
from processor.state import task_row
from processor.system import program
from processor.system.signals import Signals
from processor.view import task_view

if TYPE_CHECKING:
    from processor.view.item_view import ItemView

DIFFERENCES = 1
# A repair holds no lease, so its calls may take longer than replication's.
_TIMEOUTS = WriteTimeouts(connect=3, read=10)


def run(settings: Settings, options: VerifyOptions, *, pause: Callable[[int], float] = pause_seconds) -> int:
    """Compare the destination with the source, and make it equal if that is asked for.

    :param pause: the wait before a key is read again for the n-th time
    :returns: 0 if they are equal, or were made equal; 1 if they aren't; 130 or 143 if a signal ended it
    :raises UsageError: an option can't be used
    :raises NotReadyError: the tables are not there, or don't belong together
    :raises ReplicatorError: it could not be finished
    """
    if options.dry_run and not options.repair:
        message = "--dryRun says what --repair would do; without it nothing is ever written. Give both, or neither."
        raise UsageError(message)
    if options.delete_extra and not options.repair:
        message = "--deleteExtra says what --repair may do; without it nothing is ever deleted. Give both, or neither."
        raise UsageError(message)
    clients = Clients(settings, create=boto3_clients.create)
    ready = preflight.tables(settings, clients)
    preflight.insist(ready.findings, "Nothing was compared, and nothing written.")
    form = _form(settings, options, ready.facts)
    assert ready.facts.source is not None  # noqa: S101  # else there are errors
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
            expiry, unknown = time_to_live.of_both(settings, clients, _retry(signals.stop).ask)
            preflight.insist(unknown, "")  # warnings
            judge = Judge(form, results, expiry=expiry, show_expired=options.expired)
            with contextlib.ExitStack() as stack:
                made = _Made(
                    settings, options=options, clients=clients, judge=judge, view=view, stop=signals.stop, stack=stack
                )
                made.comparison(ready.facts, results, pause=pause).run()
            if _is_proof(report, options):
                _note_view(settings, clients, digest)
        except StoppedError as exc:
            output.say(f"{program.NAME}: {exc}")
            return signals.exit_status
        finally:
            show(report, settings, options)
    return DIFFERENCES if report.differing else 0


def _is_proof(report: VerifyReport, options: VerifyOptions) -> bool:
    """Whether all of the destination was found to be, or was made, what it ought to be."""
    is_whole = options.share == 1 and not options.ignore and not options.dry_run
    return is_whole and report.complete and not report.differing and not report.changing


def _note_view(settings: Settings, clients: Clients, digest: str) -> None:
    """Store by which view of the items all of the destination is, so that no start says that it may not be.

    :param digest: the view's, from before it was made: the transform's file may have changed since
    """
    if not settings.views_items:
        return
    try:
        task_row.note_view(clients.checkpoints(), settings.task_table, digest)
    except (RefusedError, UnavailableError) as exc:
        output.say(f"That it is all by these settings can't be noted ({exc}): a start may still say otherwise.")


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
    return CanonicalForm(key_names, ignored=ignored, salt=os.urandom(16))


def _retry(stop: threading.Event) -> Retry:
    """Retries for one table, or for calls to both: a success of one says nothing about the other."""
    return Retry(
        retry_policy.COMMAND, stop, Outage(Log(), "verify_delayed", note="Nothing is lost: it is tried again.")
    )


class _Steps:
    """A bar for each step, and its metrics."""

    def __init__(self, metrics: CommandMetrics) -> None:
        self._metrics = metrics
        self._bar = contextlib.ExitStack()
        self._step: Step | None = None

    def say(self, step: Step) -> None:
        """Show the progress."""
        if step is not self._step:
            self.close()
            self._step, self._shown = step, self._bar.enter_context(Bar())
        self._shown.update(step.done, step.expected, step.name)
        self._metrics.tell(step.done, step.expected, step.name)

    def close(self) -> None:
        """Finish the terminal's line."""
        self._bar.close()


class _Made:
    """Makes the parts of a comparison.

    :param view: the task's view of the source's items
    :param stack: closes them
    """

    def __init__(
        self,
        settings: Settings,
        *,
        options: VerifyOptions,
        clients: Clients,
        judge: Judge,
        view: ItemView | None,
        stop: threading.Event,
        stack: contextlib.ExitStack,
    ) -> None:
        self._settings = settings
        self._options = options
        self._clients = clients
        self._judge = judge
        self._view = view
        self._stack = stack
        self._stop = stop
        metrics = CommandMetrics(settings, items=instruments.VERIFY_ITEMS, progress=instruments.VERIFY_PROGRESS)
        self._progress = stack.enter_context(contextlib.closing(_Steps(stack.enter_context(metrics))))
        self._workers = WorkerGroup(stop, tick=self._say)
        self._comparison: Comparison | None = None

    def comparison(self, facts: Facts, results: Results, *, pause: Callable[[int], float]) -> Comparison:
        """Ready to run."""
        settings, clients = self._settings, self._clients
        assert facts.source is not None  # noqa: S101  # else there are errors
        assert facts.destination is not None  # noqa: S101  # the same
        view = None if self._view is None else without_failing(self._view, self._judge.form.key_names)
        source = TableSide(
            "source",
            facts.source,
            scannable=tables.scannable_source(
                settings, clients, view=view, scan_filter=self._view.scan_filter if self._view else None
            ),
            readable=tables.source(settings, clients, view=view),
            retry=self._retry(),
        )
        destination = TableSide(
            "destination",
            facts.destination,
            scannable=tables.scannable_destination(settings, clients),
            readable=tables.readable_as_stored(settings, clients),
            retry=self._retry(),
        )
        recheck = Recheck(
            source,
            destination,
            judge=self._judge,
            looks=self._options.recheck,
            results=results,
            workers=self._workers,
            retry=self._retry(),
            repair=self._repair(),
            values=self._options.values,
            pause=pause,
        )
        self._stack.callback(recheck.close)
        self._comparison = Comparison(
            source,
            destination,
            judge=self._judge,
            recheck=recheck,
            results=results,
            workers=self._workers,
            share=self._options.share,
            chance=random.SystemRandom(),
        )
        return self._comparison

    def _retry(self) -> Retry:
        return _retry(self._stop)

    def _repair(self) -> Callable[[list[Found], Tell], None]:
        if not self._options.repair:
            return lambda found, tell: tell(found)
        repair = would_repair if self._options.dry_run else self._made_repair()
        return repair if self._options.delete_extra else keeping_extra(repair)

    def _made_repair(self) -> Repair:
        settings, clients = self._settings, self._clients
        stored = tables.readable_as_stored(settings, clients)
        fences = Fences(stored, settings.fence_attribute, key_reader(self._judge.form.key_names))
        numbers = {"number_of": fences.of} if settings.write_mode == "fenced" else {}
        repair = Repair(
            source=tables.source(settings, clients, view=self._view),
            destination=tables.readable(settings, clients),
            table=tables.open_table(settings, clients, timeouts=_TIMEOUTS, view=self._view),
            judge=self._judge,
            retry=self._retry(),
            threads=settings.threads,
            **numbers,
        )
        self._stack.callback(repair.close)
        return repair

    def _say(self) -> None:
        if self._comparison is not None:
            self._progress.say(self._comparison.step)
