"""``run.sh check``: reports what is not ready, and what could not be checked."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from processor.aws.clients import Clients
from processor.commands.check import cost
from processor.commands.check.cost import MonthlyCost
from processor.commands.check.options import CheckOptions
from processor.errors import NotReadyError
from processor.reporting import output
from processor.reporting.findings import Finding, error, failure_of
from processor.reporting.terminal import Tone
from processor.settings.settings import Settings
from processor.startup import jar_lock, java, own_replica, preflight, provisioning
from processor.startup.preflight import PreflightReport


class CheckReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What ``--json`` prints.

    :param to_make: what ``copy``, or with ``bootstrap`` a start, will make first: ``destination``, ``stream``
    :param dead_letter_bucket_owner: the account that the bucket of dead letters must belong to, where there is one
    :param conflict_bucket_owner: likewise that of a two-way task's conflicts
    :param monthly_cost: left out if the source is not at AWS, or can't be seen
    """

    ready: bool
    to_make: list[str] = msgspec.field()
    findings: list[Finding] = msgspec.field()
    dead_letter_bucket_owner: str | None = None
    conflict_bucket_owner: str | None = None
    monthly_cost: MonthlyCost | None = None


def run(settings: Settings, options: CheckOptions) -> int:
    """Check everything that a start needs, and change nothing.

    :returns: 0 ready; 22 something must be put right; 5 nothing is known to be wrong, but not all could be checked
    """
    report, conflicts_owner = _report(settings)
    report.findings += _jars()
    monthly = cost.estimate(settings, report.facts)
    if options.as_json:
        output.json(
            CheckReport(
                ready=not report.errors,
                to_make=sorted(report.facts.to_make),
                findings=report.findings,
                dead_letter_bucket_owner=report.facts.letters_owner,
                conflict_bucket_owner=conflicts_owner,
                monthly_cost=monthly,
            )
        )
    else:
        for finding in report.findings:
            output.say(*finding.lines)
        if report.facts.letters_owner:
            bucket = f"s3://{settings.dead_letter_bucket}/{settings.dead_letter_prefix}".rstrip("/")
            output.line(f"dead letters: {bucket}, which must belong to account {report.facts.letters_owner}")
        if conflicts_owner:
            output.line(f"conflicts: {settings.conflict_uri}, which must belong to account {conflicts_owner}")
        if monthly is not None:
            output.line(f"costs: {monthly.shown}")
        verdict = _verdict(settings, report)
        output.line(f"{settings.path}: {verdict}", tone=_tone(verdict))
    return failure_of(report.errors).exit_status if report.errors else 0


def _report(settings: Settings) -> tuple[PreflightReport, str | None]:
    """What is found, of a two-way task on both ways.

    :returns: the facts are those of the first way; and the account that the bucket of conflicts must belong to, if any
    """
    report, owner = preflight.run(settings, Clients(settings), thorough=True, after_copy=True), None
    for each in settings.in_directions[1:]:
        if "destination" in report.facts.to_make:  # which the way back reads; copy makes it with a stream
            other = preflight.conflicts(each, Clients(each))
        else:
            other = preflight.run(each, Clients(each), thorough=True, after_copy=True, machine=False)
        report.findings += [finding for finding in other.findings if finding not in report.findings]
        owner = other.facts.letters_owner
    return report, owner


def _jars() -> Iterator[Finding]:
    """Check each jar's hash, for which a start has no time."""
    lock = jar_lock.find()
    try:
        for jar, what in jar_lock.differences(lock, java.folders(), whole=True):
            yield error("jar-changed", f"Jar {jar}", what, jar_lock.CONSEQUENCE, java.REPAIR, cause="setup")
    except OSError as exc:
        yield error(
            "jar-lock-unreadable",
            "Jars",
            f"can't be held against {lock} ({exc})",
            jar_lock.CONSEQUENCE,
            java.REPAIR,
            cause="setup",
        )


def _tone(verdict: str) -> Tone:
    return "good" if verdict.startswith("ready") else "bad" if verdict.startswith("not ready") else "doubtful"


def _verdict(settings: Settings, report: PreflightReport) -> str:
    if not report.errors:
        to_do = provisioning.shown(report.facts)
        if own_replica.beginning(settings, report.facts, now_ms=0) is not None:
            making = f"{to_do}, replicate from the stream's beginning" if to_do else "replicate"
            return f"ready: the start will {making}, copy the table beside that, and verify it"
        return f"ready: copy will {to_do}" if to_do else "ready"
    unseen = ", ".join(dict.fromkeys(finding.object for finding in report.errors if finding.cause == "outage"))
    if failure_of(report.errors) is NotReadyError:
        return f"not ready; could not be looked at: {unseen}" if unseen else "not ready"
    return f"not known; could not be looked at: {unseen}"
