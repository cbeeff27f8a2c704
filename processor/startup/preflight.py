"""Finds everything that can be known to be wrong before the daemon starts, in one run.

First ``fact_reader.py`` reads the facts; then each check, of the tables in ``table_checks.py`` and of the task here,
uses only the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableSet, Sequence
from typing import TYPE_CHECKING

import msgspec

from processor.aws.sessions import is_aws_region
from processor.dynamodb.stream_retention import LAST_START_SECONDS
from processor.errors import NotReadyError
from processor.reporting import output
from processor.reporting.findings import Finding, error, failure_of, warning
from processor.startup import (
    global_tables,
    letters_bucket,
    own_replica,
    places,
    plaintext_endpoints,
    provisioning,
    table_checks,
    two_way_checks,
    view_checks,
)
from processor.startup.fact_reader import read, read_tables
from processor.startup.facts import Facts
from processor.state import leases, loss_remedies, task_row
from processor.state.loss_remedies import DELETED_MEANWHILE

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings


class PreflightReport(msgspec.Struct, kw_only=True):
    """The facts, and everything that is wrong with them."""

    facts: Facts
    findings: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        """The findings that prevent the start."""
        return [finding for finding in self.findings if finding.severity == "error"]


def run(
    settings: Settings,
    clients: Clients,
    *,
    unanswered: MutableSet[str] | None = None,
    thorough: bool = False,
    machine: bool = True,
    after_copy: bool = False,
) -> PreflightReport:
    """Read the facts, then check them.

    :param unanswered: receives the names of what is being read, so that another thread can report them
    :param thorough: also check what a start has no time for
    :param machine: also check what the daemon itself needs, Java above all; False where it runs already
    :param after_copy: as it will be when ``copy`` has made what the settings ask it to make
    """
    wrong_regions = dict(_regions(settings))
    unreachable = [*wrong_regions, *([] if machine else ["java"])]
    found, findings = read(settings, clients, unreachable=unreachable, unanswered=unanswered, thorough=thorough)
    findings = provisioning.foresee(settings, found, findings) if after_copy else findings
    if settings.bootstrap and "destination" not in found.to_make:
        findings = [*findings, *own_replica.occupied(settings, clients, found)]
    findings = [*wrong_regions.values(), *_by_itself(settings), *findings]
    said = _SAID_OF_MIRROR if settings.direction == "uplink" else ()
    findings += [finding for check in _CHECKS if check not in said for finding in check(settings, found)]
    return PreflightReport(facts=found, findings=list(provisioning.advised(settings, findings)))


def copying(
    settings: Settings, clients: Clients, *, to_new_table: bool = False, foreseen: bool = False
) -> PreflightReport:
    """The checks for a copy: all those of the replication after it, except those of the machine.

    :param to_new_table: the destination does not exist yet
    :param foreseen: as it will be when the copy has made what the settings ask it to make
    """
    wrong_regions = dict(_regions(settings))
    without = ["java", "destination"] if to_new_table else ["java"]
    found, findings = read(settings, clients, unreachable=[*wrong_regions, *without])
    if foreseen:
        findings = list(provisioning.advised(settings, provisioning.foresee(settings, found, findings)))
    findings = [*wrong_regions.values(), *_by_itself(settings), *findings]
    findings += [finding for check in _COPY_CHECKS for finding in check(settings, found)]
    return PreflightReport(facts=found, findings=findings)


def conflicts(settings: Settings, clients: Clients) -> PreflightReport:
    """The check of the place for an uplink's conflicts, which can be looked at before the table that it reads is made.

    :param settings: the uplink's
    """
    owner, findings = letters_bucket.look(settings, clients)
    return PreflightReport(facts=Facts(letters_owner=owner), findings=[*places.conflicts_file(settings), *findings])


def tables(settings: Settings, clients: Clients) -> PreflightReport:
    """The checks for a command that only uses the two tables: they exist, and one can be a copy of the other."""
    wrong_regions = {part: finding for part, finding in _regions(settings) if part != "checkpoints"}
    found, findings = read_tables(settings, clients, unreachable=wrong_regions)
    findings = [*wrong_regions.values(), *_by_itself(settings), *findings]
    for check in _PAIR_CHECKS:
        findings += check(settings, found)
    return PreflightReport(facts=found, findings=list(provisioning.advised(settings, findings)))


def insist(findings: Sequence[Finding], consequence: str) -> None:
    """Print all findings on standard error, and raise if one of them is an error.

    :param consequence: what was not done, as a sentence
    :raises NotReadyError: one of them is an error
    :raises NotLookedAtError: all errors are about things that could not be examined
    """
    for finding in findings:
        output.say(*finding.lines)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        failure = failure_of(errors)
        what = "must be put right first" if failure is NotReadyError else "could not be looked at"
        message = f"What stands above {what}. {consequence}"
        raised = failure(message)
        raised.findings = list(findings)
        raise raised


def _regions(settings: Settings) -> Iterator[tuple[str, Finding]]:
    places = (
        ("source", f"{settings.source_side}Region", settings.source_region, settings.source_endpoint),
        (
            "destination",
            f"{settings.destination_side}Region",
            settings.destination_region,
            settings.destination_endpoint,
        ),
        ("checkpoints", "kclRegion", settings.kcl_region, settings.kcl_endpoint),
    )
    for part, name, region, endpoint in places:
        if endpoint is None and not is_aws_region(region):  # with an emulator's endpoint, a region may be any word
            remedy = "Write it as AWS does, such as eu-west-1"
            value = f"'{region}' is no AWS region"
            yield part, error("region-unknown", name, value, "No endpoint can be found for it", remedy, cause="setup")


def _by_itself(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the settings, whatever the tables are."""
    yield from view_checks.by_itself(settings)
    yield from two_way_checks.by_itself(settings)


def _task_is_ours(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not facts.task or not facts.leases:
        return
    # A row without an ARN can't be compared.
    destination_arn = facts.task.destination_arn and (facts.destination or {}).get(
        "TableArn", facts.task.destination_arn
    )
    ours = task_row.of(settings, facts.task.stream_arn, destination_arn)
    if ours != facts.task.claim:
        yield error(
            "checkpoints-of-others",
            f"checkpoint table {settings.checkpoint_table}",
            f"belongs to another replication: {facts.task.path}",
            "Two tasks in one table would take each other's shards and lose changes",
            "Give each replication a taskName of its own; to begin this one anew, delete the checkpoint table; if it "
            f"is the same table at a new address, delete {settings.task_table}",
        )


def _no_gap(settings: Settings, facts: Facts) -> Iterator[Finding]:
    for found in gap(settings, facts):
        if settings.after_loss == "copy":
            remedy = (
                "Nothing has to be done: afterLoss=copy has the table copied and verified again, and what only the "
                "destination has deleted there"
            )
            yield warning(found.id, found.object, found.value, found.consequence, remedy)
        else:
            yield found


def gap(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Changes that are lost between the checkpoints and the stream as it is now."""
    anew = "stream" in facts.to_make
    if not facts.leases or not facts.source or (facts.stream_shards is None and not anew):
        return
    stream_arn = facts.source.get("LatestStreamArn")
    what = f"stream of {settings.source_side} table {settings.source_table}"
    remedy = loss_remedies.of_checkpoints(settings)
    if facts.task and facts.task.source_table == settings.source_table and facts.task.stream_arn != stream_arn:
        yield error(
            "stream-replaced",
            what,
            f"is {'off' if anew else stream_arn}; the last checkpoints are of {facts.task.stream_arn}",
            f"It {'is off since' if anew else 'was off in between'}, and changes of that time are in neither",
            remedy,
        )
    elif facts.stream_shards and not any(lease.shard_id in facts.stream_shards for lease in facts.leases):
        yield error(
            "shards-gone",
            what,
            f"has none of the {len(facts.leases)} shards in checkpoint table {settings.checkpoint_table}",
            "They are past the stream's 24 hours, or of another stream: changes after the checkpoints are lost",
            remedy,
        )


def _copy_is_through(settings: Settings, facts: Facts) -> Iterator[Finding]:
    copy = facts.copy
    if copy is None or copy.followed:
        return
    what = f"copy of source table {settings.source_table}"
    if copy.state == "running" and copy.via:
        yield error(
            "copy-unfinished",
            what,
            "is not through",
            "Its import makes the destination; a replication before that is none of what it holds",
            "Let copy --viaS3 finish; or give it up with copy --forget",
        )
    elif copy.state == "running" and not copy.concurrent:
        yield error(
            "copy-unfinished",
            what,
            "is not through",
            "It was not begun to be made beside a replication: older items could stay over newer ones, for good",
            "Let copy finish; or go on with copy --concurrent, then start; or give it up with copy --forget",
        )
    elif facts.source and not leases.begun(facts.leases) and not settings.bootstrap:
        began = f"began {copy.age_seconds / 3600:.1f} hours ago"
        lost = "Changes that were made since it began are lost"
        remedy = f"Copy it again with copy --restart{DELETED_MEANWHILE}; or start with what there is, after --forget"
        if copy.age_seconds > LAST_START_SECONDS:
            soon = "Changes that were made since it began are lost, or would be before they are read"
            yield error("copy-too-old", what, f"{began}, and the stream keeps changes for 24 hours", soon, remedy)
        elif copy.stream_arn != facts.source.get("LatestStreamArn"):
            yield error(
                "copy-stream-replaced", what, f"{began}, and the stream was turned off and on again since", lost, remedy
            )


def _from_the_beginning(settings: Settings, _: Facts) -> Iterator[Finding]:
    position = settings.kcl.get("initialPositionInStream", "TRIM_HORIZON")
    if position != "TRIM_HORIZON":
        yield error(
            "initial-position",
            "initialPositionInStream",
            f"is {position}",
            "The replication would skip what is written while the copy is made",
            "Leave it out: replication then begins with the oldest change in the stream",
            cause="setup",
        )


def _copies_by_itself_from_the_beginning(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if settings.bootstrap or settings.after_loss == "copy":
        yield from _from_the_beginning(settings, facts)


def _in_the_clear(settings: Settings, _: Facts) -> Iterator[Finding]:
    return plaintext_endpoints.findings(settings)


_PAIR_CHECKS = (
    _in_the_clear,
    table_checks.tables_active,
    table_checks.keys_match,
    table_checks.not_itself,
    view_checks.with_tables,
)
_TASK_CHECKS = (
    _in_the_clear,
    table_checks.tables_active,
    table_checks.stream_on,
    table_checks.keys_match,
    table_checks.not_itself,
    global_tables.not_one_global_table,
    _task_is_ours,
    _no_gap,
    table_checks.fence_is_free,
    table_checks.destination_ttl,
    table_checks.as_the_source,
    table_checks.destination_indexes,
    view_checks.with_tables,
    two_way_checks.with_tables,
)
_COPY_CHECKS = (*_TASK_CHECKS, table_checks.stream_has_begun, _from_the_beginning)
_CHECKS = (
    *_TASK_CHECKS,
    _copy_is_through,
    _copies_by_itself_from_the_beginning,
    view_checks.as_before,
    global_tables.source_is_replica,
    global_tables.few_readers,
)
# What an uplink needs not be told again: it is of both tables together, or names settings by the other direction.
_SAID_OF_MIRROR = frozenset({_in_the_clear, table_checks.keys_match, table_checks.not_itself})
