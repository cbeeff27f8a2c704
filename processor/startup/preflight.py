"""Finds everything that can be known to be wrong before the daemon starts, in one run.

First ``facts.py`` reads the facts; then each check here uses only the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableSet, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.sessions import is_aws_region
from processor.dynamodb import table_spec
from processor.dynamodb.stream_retention import LAST_START_SECONDS
from processor.errors import NotReadyError
from processor.reporting import output
from processor.reporting.findings import Finding, error, failure_of, warning
from processor.startup import plaintext_endpoints, view_checks
from processor.startup.facts import Facts, read, read_tables
from processor.state import leases, task_row

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

NEW_IMAGE_VIEWS = frozenset({"NEW_IMAGE", "NEW_AND_OLD_IMAGES"})
# Table states that DynamoDB ends by itself; a table that is archived, or has lost its KMS key, needs a person.
_PASSING_STATUSES = frozenset({"CREATING", "DELETING"})
# A copy removes nothing.
_DELETED_MEANWHILE = (
    " (once it has caught up, verify names what only the destination has: what was deleted meanwhile, and whatever "
    "else; --repair --deleteExtra deletes it)"
)


class Report(msgspec.Struct, kw_only=True):
    """The facts, and everything that is wrong with them."""

    facts: Facts
    findings: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        """The findings that prevent the start."""
        return [finding for finding in self.findings if finding.severity == "error"]


def run(
    settings: Settings, clients: Clients, *, unanswered: MutableSet[str] | None = None, thorough: bool = False
) -> Report:
    """Read the facts, then check them.

    :param unanswered: receives the names of what is being read, so that another thread can report them
    :param thorough: also check what a start has no time for
    """
    wrong_regions = dict(_regions(settings))
    found, findings = read(settings, clients, unreachable=wrong_regions, unanswered=unanswered, thorough=thorough)
    findings = [*wrong_regions.values(), *view_checks.by_itself(settings), *findings]
    findings += [finding for check in _CHECKS for finding in check(settings, found)]
    return Report(facts=found, findings=findings)


def copying(settings: Settings, clients: Clients, *, to_new_table: bool = False) -> Report:
    """The checks for a copy: all those of the replication after it, except those of the machine.

    :param to_new_table: the destination does not exist yet
    """
    wrong_regions = dict(_regions(settings))
    without = ["java", "destination"] if to_new_table else ["java"]
    found, findings = read(settings, clients, unreachable=[*wrong_regions, *without])
    findings = [*wrong_regions.values(), *view_checks.by_itself(settings), *findings]
    findings += [finding for check in _COPY_CHECKS for finding in check(settings, found)]
    return Report(facts=found, findings=findings)


def tables(settings: Settings, clients: Clients) -> Report:
    """The checks for a command that only uses the two tables: they exist, and one can be a copy of the other."""
    wrong_regions = {part: finding for part, finding in _regions(settings) if part != "checkpoints"}
    found, findings = read_tables(settings, clients, unreachable=wrong_regions)
    findings = [*wrong_regions.values(), *view_checks.by_itself(settings), *findings]
    for check in (_in_the_clear, _tables_active, _keys_match, _not_itself, view_checks.with_tables):
        findings += check(settings, found)
    return Report(facts=found, findings=findings)


def insist(findings: Sequence[Finding], consequence: str, *, as_json: bool = False) -> None:
    """Print all findings on standard error, and raise if one of them is an error.

    :param consequence: what was not done, as a sentence
    :param as_json: in that case also print them on standard output, as ``check --json`` does
    :raises NotReadyError: one of them is an error
    :raises NotLookedAtError: all errors are about things that could not be examined
    """
    for finding in findings:
        output.say(*finding.lines)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        if as_json:
            output.json({"ready": False, "findings": findings})
        failure = failure_of(errors)
        what = "must be put right first" if failure is NotReadyError else "could not be looked at"
        message = f"What stands above {what}. {consequence}"
        raise failure(message)


def _regions(settings: Settings) -> Iterator[tuple[str, Finding]]:
    places = (
        ("source", "sourceRegion", settings.source_region, settings.source_endpoint),
        ("destination", "destinationRegion", settings.destination_region, settings.destination_endpoint),
        ("checkpoints", "kclRegion", settings.kcl_region, settings.kcl_endpoint),
    )
    for part, name, region, endpoint in places:
        if endpoint is None and not is_aws_region(region):  # with an emulator's endpoint, a region may be any word
            remedy = "Write it as AWS does, such as eu-west-1"
            value = f"'{region}' is no AWS region"
            yield part, error("region-unknown", name, value, "No endpoint can be found for it", remedy, cause="setup")


def _tables_active(settings: Settings, facts: Facts) -> Iterator[Finding]:
    for role, table, name in (
        ("source", facts.source, settings.source_table),
        ("destination", facts.destination, settings.destination_table),
    ):
        status = table.get("TableStatus") if table else None
        if table and status not in ("ACTIVE", "UPDATING"):
            yield error(
                "table-not-active",
                f"{role} table {name}",
                f"is {status}, not ACTIVE",
                "It can't be used yet",
                "Wait until it is ACTIVE, then start again",
                cause="pending" if status in _PASSING_STATUSES else "answer",
            )


def _stream_on(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not facts.source:
        return
    what = f"stream of source table {settings.source_table}"
    specification = facts.source.get("StreamSpecification", {})
    if not specification.get("StreamEnabled"):
        yield error(
            "stream-off",
            what,
            "is off",
            "Changes leave no trace to replicate",
            "Turn it on with view type NEW_AND_OLD_IMAGES (or NEW_IMAGE); with enableStream=true copy does",
        )
    elif not facts.source.get("LatestStreamArn"):
        value = "is on, and has no ARN: DescribeTable's answer lacks a part"
        yield error(
            "stream-not-readable",
            what,
            value,
            "It can't be read",
            "See what answers at sourceEndpoint (a proxy?)",
            cause="outage",
        )
    elif specification.get("StreamViewType") not in NEW_IMAGE_VIEWS:
        yield error(
            "stream-view",
            what,
            f"has view type {specification.get('StreamViewType')}",
            "It does not say what an item has become",
            "Turn it off, then on with NEW_AND_OLD_IMAGES (or NEW_IMAGE), and copy the table for what is missed"
            + _DELETED_MEANWHILE,
        )


def _stream_has_begun(settings: Settings, facts: Facts) -> Iterator[Finding]:
    # A replication may begin while it is not: it reads the stream's records when there are any.
    if facts.stream_status not in (None, "ENABLED"):
        yield error(
            "stream-not-enabled",
            f"stream of source table {settings.source_table}",
            f"is {facts.stream_status}",
            "What is written before it is ENABLED may be in neither copy nor stream",
            "Wait a moment, then copy again; or set enableStream=true, which waits",
            cause="pending" if facts.stream_status == "ENABLING" else "answer",
        )


def _keys_match(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not (facts.source and facts.destination):
        return
    source, destination = _key_of(facts.source), _key_of(facts.destination)
    if source != destination:
        yield error(
            "key-differs",
            f"key of destination table {settings.destination_table}",
            f"is {_shown(destination)}; the source's is {_shown(source)}",
            "No change could be written",
            "Replicate into a table with the source's key: same names, same types, same order",
        )


def _key_of(table: dict[str, Any]) -> list[tuple[str, str, str]]:
    types = _attribute_types(table)
    return [
        (part["KeyType"], part["AttributeName"], types.get(part["AttributeName"], "?"))
        for part in table.get("KeySchema", [])
    ]


def _attribute_types(table: dict[str, Any]) -> dict[str, str]:
    return {part["AttributeName"]: part["AttributeType"] for part in table.get("AttributeDefinitions", [])}


def _shown(key: list[tuple[str, str, str]]) -> str:
    return ", ".join(f"{kind} {name} ({attribute_type})" for kind, name, attribute_type in key)


def _not_itself(settings: Settings, facts: Facts) -> Iterator[Finding]:
    same_place = (settings.source_region, settings.source_endpoint, settings.source_table) == (
        settings.destination_region,
        settings.destination_endpoint,
        settings.destination_table,
    )
    arns = [(table or {}).get("TableArn") for table in (facts.source, facts.destination)]
    ids = [(table or {}).get("TableId") for table in (facts.source, facts.destination)]
    if (same_place and settings.source_identity == settings.destination_identity) or (
        arns[0] and arns[0] == arns[1] and ids[0] and ids[0] == ids[1]
    ):
        yield error(
            "destination-is-source",
            f"destination table {settings.destination_table} in {settings.destination_region}",
            "is the source table",
            "Each write would be replicated onto itself, for ever",
            "Name another table, region, account or endpoint",
        )


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
    if not facts.leases or facts.stream_shards is None or not facts.source:
        return
    stream_arn = facts.source.get("LatestStreamArn")
    what = f"stream of source table {settings.source_table}"
    remedy = f"Delete {settings.checkpoint_table}, copy the table again, then start{_DELETED_MEANWHILE}"
    if facts.task and facts.task.source_table == settings.source_table and facts.task.stream_arn != stream_arn:
        yield error(
            "stream-replaced",
            what,
            f"is {stream_arn}; the last checkpoints are of {facts.task.stream_arn}",
            "It was off in between, and changes of that time are in neither",
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


def _fence_is_free(settings: Settings, facts: Facts) -> Iterator[Finding]:
    name = settings.fence_attribute
    if settings.write_mode == "fenced" and name in _attribute_types(facts.destination or {}):
        yield error(
            "fence-attribute-in-key",
            f"destination table {settings.destination_table}",
            f"has {name} in a key of its own or of an index",
            "writeMode=fenced keeps each item's sequence number there",
            "Name another attribute in fenceAttribute",
        )


def _destination_ttl(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if settings.keeps_expired:
        if facts.destination_ttl:
            yield warning(
                "destination-ttl",
                f"destination table {settings.destination_table}",
                f"deletes items by itself (TTL on {facts.destination_ttl})",
                "What ttlDeletes=ignore keeps there is deleted all the same",
                "Turn TTL off there",
            )
        return
    # TTL on the source's attribute is fine: it deletes what the source deletes, within the same days.
    if facts.destination_ttl and facts.destination_ttl != _ttl_there(settings, facts):
        others = f"on {facts.source_ttl}" if facts.source_ttl else "off, or not for us to see"
        yield warning(
            "destination-ttl",
            f"destination table {settings.destination_table}",
            f"deletes items by itself (TTL on {facts.destination_ttl}; the source's is {others})",
            "It may lack items that the source still has",
            "Turn TTL off there, or have it on the source's attribute: the source's own TTL deletes are replicated",
        )


def _ttl_there(settings: Settings, facts: Facts) -> str | None:
    """The source's TTL attribute by the name that it has at the destination."""
    return None if facts.source_ttl is None else settings.destination_name(facts.source_ttl)


def _as_the_source(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if settings.create_destination and facts.source and facts.destination:
        yield from table_spec.differences(
            facts.source,
            facts.destination,
            source_ttl=None if settings.keeps_expired else _ttl_there(settings, facts),
            destination_ttl=facts.destination_ttl,
            stream=settings.destination_stream,
        )


def _destination_indexes(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not (facts.source and facts.destination):
        return
    source_types = _attribute_types(facts.source)
    destination_types = _attribute_types(facts.destination)
    keys = {name for _, name, _ in _key_of(facts.destination)}
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in facts.destination.get(kind, []):
            for name in (part["AttributeName"] for part in index["KeySchema"]):
                if name in keys or source_types.get(name) == destination_types.get(name):
                    continue
                yield warning(
                    "index-attribute",
                    f"index {index['IndexName']} of destination table {settings.destination_table}",
                    f"wants {name} of type {destination_types.get(name)}, which the source does not hold its items to",
                    "The destination refuses an item whose value there is of another type",
                    "Check the source's items, or remove the index; see onError for what happens to such an item",
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
    elif facts.source and not leases.begun(facts.leases):
        began = f"began {copy.age_seconds / 3600:.1f} hours ago"
        lost = "Changes that were made since it began are lost"
        remedy = f"Copy it again with copy --restart{_DELETED_MEANWHILE}; or start with what there is, after --forget"
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


def _in_the_clear(settings: Settings, _: Facts) -> Iterator[Finding]:
    return plaintext_endpoints.findings(settings)


_TASK_CHECKS = (
    _in_the_clear,
    _tables_active,
    _stream_on,
    _keys_match,
    _not_itself,
    _task_is_ours,
    _no_gap,
    _fence_is_free,
    _destination_ttl,
    _as_the_source,
    _destination_indexes,
    view_checks.with_tables,
)
_COPY_CHECKS = (*_TASK_CHECKS, _stream_has_begun, _from_the_beginning)
_CHECKS = (*_TASK_CHECKS, _copy_is_through, view_checks.as_before)
