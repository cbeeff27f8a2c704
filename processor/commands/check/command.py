"""``run.sh check``: reports what is not ready, and what could not be checked."""

from __future__ import annotations

from collections.abc import Iterator

from processor.aws.clients import Clients
from processor.commands.check.options import CheckOptions
from processor.errors import NotReadyError
from processor.reporting import output
from processor.reporting.findings import Finding, error, failure_of
from processor.settings.settings import Settings
from processor.startup import jar_lock, java, preflight
from processor.startup.preflight import PreflightReport


def run(settings: Settings, options: CheckOptions) -> int:
    """Check everything that a start needs, and change nothing.

    :returns: 0 ready; 22 something must be put right; 5 nothing is known to be wrong, but not all could be checked
    """
    report = preflight.run(settings, Clients(settings), thorough=True)
    report.findings += _jars()
    if options.as_json:
        found = {"ready": not report.errors, "findings": report.findings}
        owner = report.facts.letters_owner
        output.json(found | ({"deadLetterBucketOwner": owner} if owner else {}))
    else:
        for finding in report.findings:
            output.say(*finding.lines)
        if report.facts.letters_owner:
            bucket = f"s3://{settings.dead_letter_bucket}/{settings.dead_letter_prefix}".rstrip("/")
            output.line(f"dead letters: {bucket}, which must belong to account {report.facts.letters_owner}")
        output.line(f"{settings.path}: {_verdict(report)}")
    return failure_of(report.errors).exit_status if report.errors else 0


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


def _verdict(report: PreflightReport) -> str:
    if not report.errors:
        return "ready"
    unseen = ", ".join(dict.fromkeys(finding.object for finding in report.errors if finding.cause == "outage"))
    if failure_of(report.errors) is NotReadyError:
        return f"not ready; could not be looked at: {unseen}" if unseen else "not ready"
    return f"not known; could not be looked at: {unseen}"
