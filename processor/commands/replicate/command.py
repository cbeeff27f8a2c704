"""Starts a replication: waits for what may pass by itself, and ends if a person must put something right.

::

    check ─▶ nothing is wrong: the task's row is written, and this process becomes the daemon
     ▲ ├─▶ an outage, or AWS is still working: reported at once, then ever more rarely; checked again after 1 s, later
     │ │   after up to a minute
     │ ├─▶ AWS answers that something is wrong: reported, and checked again for 10 s, because an answer may be wrong for
     │ │   a moment (a role or a table that was just made); then exit status 22
     └─┘   wrong settings, files or Java: exit status 22 at once

SIGTERM or Ctrl-C end it at any time with 0, because nothing is begun before the daemon.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import msgspec

from processor import __version__
from processor.aws.clients import Clients
from processor.commands.replicate import directions, finished_copy, other_view, own_start
from processor.dynamodb.describe import key_types
from processor.errors import NotReadyError
from processor.flow.outage import Outage
from processor.flow.retry_policy import START, Backoff
from processor.reporting import logs, output
from processor.reporting.findings import Finding
from processor.reporting.logs import Log
from processor.settings.daemon_files import ViewBasis
from processor.settings.settings import Settings
from processor.startup import daemon, preflight
from processor.startup.facts import Facts
from processor.startup.failed_call import Who, attempt
from processor.startup.preflight import PreflightReport
from processor.startup.slot import Slot, claim_slot
from processor.state import task_row
from processor.view import task_view

# Seconds after which a check that is still running is reported.
_SLOW_SECONDS = 5.0

_NOTE = "Nothing is lost. The start waits, looks again after pauses of up to a minute, and goes on by itself."


def run(settings: Settings) -> NoReturn:
    """Wait until everything is ready, then become the daemon.

    :raises NotReadyError: a person must put something right
    :raises SetupError: the log directory can't be written
    """
    daemon.hold_installation()
    slot = claim_slot(settings)
    logs.configure(form=settings.log_format)
    report = Readiness(settings).wait()
    facts = report.facts
    finished_copy.note(settings, Clients(settings), facts)
    output.line(f"Replicating {settings.path}")
    output.line(f"  version {__version__}")
    output.line(f"  task {settings.task_name}, checkpoints in {settings.checkpoint_table}")
    output.line(f"  logs in {slot.directory}", flush=True)
    daemon.start(settings, slot, write_files(settings, slot, facts))


def write_files(settings: Settings, slot: Slot, facts: Facts, *, worker_id: str | None = None) -> Path:
    """Write the files that the daemon reads for this task.

    :param facts: of a report without an error
    :param worker_id: the one of a daemon of many tasks; without it, the slot's
    :returns: the task's properties
    """
    assert facts.task is not None  # noqa: S101  # else the report has errors
    return daemon.write_files(
        settings,
        slot,
        task=facts.task,
        leases=facts.leases or [],
        read_at_ms=facts.leases_read_at_ms,
        worker_id=worker_id,
        view=_view(settings, facts),
    )


def _view(settings: Settings, facts: Facts) -> ViewBasis | None:
    if not settings.views_items:
        return None
    assert facts.source is not None  # noqa: S101  # else the report has errors
    return ViewBasis(key_types=key_types(facts.source), digest=task_view.digest_of(settings))


class Readiness:
    """Repeats the checks until a task may start.

    :param look: reads and checks everything, and writes the task's row if nothing is wrong
    :param tell: takes the lines of what is found
    """

    def __init__(
        self,
        settings: Settings,
        *,
        look: Callable[[Settings, set[str]], PreflightReport] | None = None,
        tell: Callable[..., None] = output.say,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._look = look or look_at
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._outage = Outage(
            Log(task=settings.task_name),
            "start_delayed",
            note=_NOTE,
            rhythm=START.rhythm,
            clock=clock,
        )
        self._said: set[tuple[str, str]] = set()
        self._wrong_since: float | None = None

    def wait(self) -> PreflightReport:
        """Return the first report without an error.

        :raises NotReadyError: a person must put something right
        """
        backoff = Backoff(START)
        while True:
            with self._slow() as unanswered:
                report = self._look(self._settings, unanswered)
            self._say(report.findings)
            if not report.errors:
                self._outage.succeeded()
                return report
            lasting = [finding for finding in report.errors if not finding.passes]
            pause = backoff.next_seconds()
            if lasting:
                pause = min(pause, self._seconds_to_belief(lasting))
            else:
                self._wrong_since = None
                self._delayed(report.errors)
            self._sleep(pause)

    def _seconds_to_belief(self, lasting: Sequence[Finding]) -> float:
        """How long the checks are repeated before what is wrong is believed.

        :raises NotReadyError: it is believed now
        """
        now = self._clock()
        if self._wrong_since is None:
            self._wrong_since = now
            if all(finding.cause == "answer" for finding in lasting):
                text = f"Looking again for {START.denied_seconds:.0f} s: an answer of AWS's may be wrong for a moment."
                self._tell(f"        {text}")
        left = self._wrong_since + START.denied_seconds - now
        if left <= 0 or any(finding.cause == "setup" for finding in lasting):
            things = "1 thing" if len(lasting) == 1 else f"{len(lasting)} things"
            message = f"{things} above must be put right first. Nothing was started, nothing was changed."
            raise NotReadyError(message)
        return left

    def _say(self, findings: Sequence[Finding]) -> None:
        """Report each finding once while it lasts."""
        found = {(finding.object, str(finding.cause)) for finding in findings}
        for finding in findings:
            if (finding.object, finding.cause) not in self._said:
                self._tell(*finding.lines)
        self._said = found

    def _delayed(self, errors: Sequence[Finding]) -> None:
        reason = "; ".join(f"{finding.object}: {finding.value}" for finding in errors)
        self._outage.failed("NotActive" if errors[0].cause == "pending" else "Unavailable", reason)

    @contextmanager
    def _slow(self) -> Iterator[set[str]]:
        """Report what is waited for if a check takes long; the set has the names of what is being read."""
        unanswered: set[str] = set()

        def say() -> None:
            waiting = sorted(unanswered.copy()) or ["task table"]
            self._outage.failed("NoAnswer", f"no answer yet: {', '.join(waiting)}")

        timer = threading.Timer(_SLOW_SECONDS, say)
        timer.daemon = True
        timer.start()
        try:
            yield unanswered
        finally:
            timer.cancel()


def look_at(settings: Settings, unanswered: set[str], *, machine: bool = True) -> PreflightReport:
    """Check with new clients, and so with the current credentials; write the task's row if nothing is wrong.

    :param machine: also what the daemon itself needs
    """
    clients = Clients(settings)
    report = preflight.run(settings, clients, unanswered=unanswered, machine=machine)
    report = own_start.made_ready(settings, clients, report, unanswered, machine=machine)
    if report.errors:
        return report
    facts = report.facts
    if waiting := own_start.anew(settings, clients, facts):
        return PreflightReport(facts=facts, findings=[*report.findings, *waiting])
    assert facts.source is not None  # noqa: S101  # else the report has errors
    destination_arn = (facts.destination or {}).get("TableArn", "")
    now_ms = facts.source_clock_ms or facts.leases_read_at_ms
    digest = task_view.digest_of(settings)
    writing = directions.writing_digest(settings, digest)
    if others := other_view.findings(settings, clients, facts, writing, unanswered):
        return PreflightReport(facts=facts, findings=[*report.findings, *others])
    before, begun = facts.task, bool(facts.leases)
    two_way_since = directions.mirror_since(settings, before, digest=writing, now_ms=now_ms, begun=begun)
    if settings.direction == "uplink":
        uplink = directions.UplinkStart(settings, clients, facts, now_ms=now_ms)
        if uplink.findings:
            return PreflightReport(facts=facts, findings=[*report.findings, *uplink.findings])
        two_way_since = uplink.since_ms
        if before is not None and not begun:  # a replay of all that is in the stream could bring back what is long gone
            before = msgspec.structs.replace(before, first_start_ms="")
    ours = task_row.since(
        task_row.of(settings, facts.source["LatestStreamArn"], destination_arn, view_digest=digest),
        before,
        now_ms=min(now_ms, facts.copy.started_ms) if facts.copy else now_ms,
        begun=begun,
    )
    ours = msgspec.structs.replace(ours, writing_digest=writing, two_way_since_ms=two_way_since)

    def record() -> None:
        facts.task = task_row.write(clients.checkpoints(), settings.task_table, ours, before=facts.task)

    failed = attempt(f"task table {settings.task_table} in {settings.kcl_region}", record, Who.of_task(settings))
    failed = failed or own_start.note_beginning(settings, clients, facts)
    return PreflightReport(facts=facts, findings=[*report.findings, *failed])
