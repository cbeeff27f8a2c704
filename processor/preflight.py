"""Everything that can be known to be wrong before the daemon starts, all in one run.

First the facts are read, side by side; then each check looks at the facts alone. A fact that could not be read is a
finding itself, and the checks that need it stay silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

import botocore.session
import msgspec
from botocore.exceptions import BotoCoreError

from processor import java, leases, task
from processor.dynamodb import Clients, aws_errors
from processor.errors import CredentialsError, RefusedError, SetupError, UnavailableError
from processor.leases import NO_TABLE, Lease
from processor.task import Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.settings import Settings

NEW_IMAGE_VIEWS = frozenset({"NEW_IMAGE", "NEW_AND_OLD_IMAGES"})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. An error stops the start; a warning does not."""

    severity: Literal["error", "warning"]
    object: str
    value: str
    consequence: str
    remedy: str


class Facts(msgspec.Struct, kw_only=True):
    """What was read; None where that failed, or where there is nothing."""

    source: dict[str, Any] | None = None
    stream_shards: frozenset[str] | None = None
    destination: dict[str, Any] | None = None
    destination_ttl: str | None = None
    leases: list[Lease] | None = None
    task: Task | None = None


class Report(msgspec.Struct, kw_only=True):
    """The facts, and all that is wrong with them."""

    facts: Facts
    findings: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        """Those that forbid the start."""
        return [finding for finding in self.findings if finding.severity == "error"]


def run(settings: Settings, clients: Clients) -> Report:
    """Read the facts, then check them."""
    findings = list(_regions(settings))
    facts = Facts()
    if not findings:
        findings += _gather(settings, clients, facts)
    findings += [finding for check in _CHECKS for finding in check(settings, facts)]
    return Report(facts=facts, findings=findings)


# --- Reading the facts ---------------------------------------------------------------------------------------------


def _gather(settings: Settings, clients: Clients, facts: Facts) -> list[Finding]:
    def source() -> list[Finding]:
        name, region = settings.source_table, settings.source_region

        def read() -> None:
            facts.source = _describe(clients.source, name, region)

        findings = _attempt(f"source table {name} in {region}", read)
        stream_arn = (facts.source or {}).get("LatestStreamArn")
        if stream_arn and facts.source and facts.source.get("StreamSpecification", {}).get("StreamEnabled"):
            findings += _attempt(
                f"stream {stream_arn}", lambda: setattr(facts, "stream_shards", _shards(clients, stream_arn))
            )
        return findings

    def destination() -> list[Finding]:
        name, region = settings.destination_table, settings.destination_region

        def read() -> None:
            facts.destination = _describe(clients.destination, name, region)

        findings = _attempt(f"destination table {name} in {region}", read)
        if facts.destination:
            facts.destination_ttl = _ttl(clients, name)
        return findings

    def checkpoints() -> list[Finding]:
        def read() -> None:
            facts.leases = leases.read(clients.checkpoints(), settings.checkpoint_table)
            facts.task = task.read(clients.checkpoints(), settings.task_table)

        return _attempt(f"checkpoint table {settings.checkpoint_table} in {settings.kcl_region}", read)

    with ThreadPoolExecutor(4) as pool:
        return [
            finding
            for part in pool.map(lambda read: read(), (source, destination, checkpoints, _java))
            for finding in part
        ]


def _describe(client: Callable[[], DynamoDBClient], name: str, region: str) -> dict[str, Any]:
    with aws_errors(f"DescribeTable on table {name} in {region}"):
        return dict(client().describe_table(TableName=name)["Table"])


def _shards(clients: Clients, stream_arn: str) -> frozenset[str]:
    found: list[str] = []
    start: dict[str, Any] = {}
    while True:
        with aws_errors(f"DescribeStream on {stream_arn}"):
            page = clients.streams().describe_stream(StreamArn=stream_arn, **start)["StreamDescription"]
        found += [shard["ShardId"] for shard in page.get("Shards", [])]
        if not page.get("LastEvaluatedShardId"):
            return frozenset(found)
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}


def _ttl(clients: Clients, name: str) -> str | None:
    try:
        with aws_errors("DescribeTimeToLive"):
            ttl = clients.destination().describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    except (UnavailableError, RefusedError):
        return None  # only a warning hangs on it, and a policy may well leave this call out
    return ttl.get("AttributeName") if ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") else None


def _java() -> list[Finding]:
    findings = []
    for check in (java.check_version, java.class_path):
        try:
            check()
        except SetupError as exc:
            findings.append(_error(exc.what, exc.value, exc.consequence, exc.remedy))
    return findings


def _attempt(what: str, read: Callable[[], None]) -> list[Finding]:
    try:
        read()
    except CredentialsError as exc:
        return [
            _error(
                what,
                f"our credentials are not enough ({exc})",
                "It can't be used",
                "Give credentials, or a role, that may make this call; AWS's words above name the call and who made it",
            )
        ]
    except UnavailableError as exc:
        if exc.code == NO_TABLE:
            return [
                _error(
                    what,
                    "does not exist",
                    "There is nothing to replicate from or to",
                    "Check name, region, account and endpoint, or create it",
                )
            ]
        return [
            _error(
                what,
                f"can't be reached ({exc})",
                "It can't be used",
                "Check the endpoint, the region and the network from this machine",
            )
        ]
    except (RefusedError, BotoCoreError, ValueError) as exc:
        return [_error(what, f"can't be asked for ({exc})", "It can't be used", "Check its name, region and endpoint")]
    return []


# --- Checking them -------------------------------------------------------------------------------------------------


def _error(what: str, value: str, consequence: str, remedy: str) -> Finding:
    return Finding(severity="error", object=what, value=value, consequence=consequence, remedy=remedy)


def _warning(what: str, value: str, consequence: str, remedy: str) -> Finding:
    return Finding(severity="warning", object=what, value=value, consequence=consequence, remedy=remedy)


def _regions(settings: Settings) -> Iterator[Finding]:
    session = botocore.session.get_session()
    places = (
        ("sourceRegion", settings.source_region, settings.source_endpoint),
        ("destinationRegion", settings.destination_region, settings.destination_endpoint),
        ("kclRegion", settings.kcl_region, settings.kcl_endpoint),
    )
    for name, region, endpoint in places:
        try:
            session.get_partition_for_region(region)
        except BotoCoreError:
            if endpoint is None:  # an emulator's endpoint may go by any word
                yield _error(
                    name,
                    f"'{region}' is no AWS region",
                    "No endpoint can be found for it",
                    "Write it as AWS does, such as eu-west-1",
                )


def _tables_active(settings: Settings, facts: Facts) -> Iterator[Finding]:
    for role, table, name in (
        ("source", facts.source, settings.source_table),
        ("destination", facts.destination, settings.destination_table),
    ):
        if table and table.get("TableStatus") not in ("ACTIVE", "UPDATING"):
            yield _error(
                f"{role} table {name}",
                f"is {table.get('TableStatus')}, not ACTIVE",
                "It can't be used yet",
                "Wait until it is ACTIVE, then start again",
            )


def _stream_on(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not facts.source:
        return
    what = f"stream of source table {settings.source_table}"
    specification = facts.source.get("StreamSpecification", {})
    if not specification.get("StreamEnabled"):
        yield _error(
            what,
            "is off",
            "Changes leave no trace to replicate",
            "Turn it on with view type NEW_AND_OLD_IMAGES (or NEW_IMAGE)",
        )
    elif specification.get("StreamViewType") not in NEW_IMAGE_VIEWS:
        yield _error(
            what,
            f"has view type {specification.get('StreamViewType')}",
            "It does not say what an item has become",
            "Turn it off, then on with NEW_AND_OLD_IMAGES (or NEW_IMAGE), and copy the table for what is missed",
        )


def _keys_match(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not (facts.source and facts.destination):
        return
    source, destination = _key_of(facts.source), _key_of(facts.destination)
    if source != destination:
        yield _error(
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
    if (same_place and settings.source_role_arn is None) or (
        arns[0] and arns[0] == arns[1] and ids[0] and ids[0] == ids[1]
    ):
        yield _error(
            f"destination table {settings.destination_table} in {settings.destination_region}",
            "is the source table",
            "Each write would be replicated onto itself, for ever",
            "Name another table, region, account or endpoint",
        )


def _task_is_ours(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not facts.task or not facts.leases:
        return
    ours = task.of(settings, facts.task.stream_arn)
    if ours != facts.task:
        yield _error(
            f"checkpoint table {settings.checkpoint_table}",
            f"belongs to another replication: {facts.task.path}",
            "Two tasks in one table would take each other's shards and lose changes",
            "Give each replication a taskName of its own; to use this one anew, delete the checkpoint table",
        )


def _no_gap(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if not facts.leases or facts.stream_shards is None or not facts.source:
        return
    stream_arn = facts.source.get("LatestStreamArn")
    what = f"stream of source table {settings.source_table}"
    remedy = "Copy the table again, delete the checkpoint table, then start"
    if facts.task and facts.task.source_table == settings.source_table and facts.task.stream_arn != stream_arn:
        yield _error(
            what,
            f"is {stream_arn}; the last checkpoints are of {facts.task.stream_arn}",
            "It was off in between, and changes of that time are in neither",
            remedy,
        )
    elif facts.stream_shards and not any(lease.shard_id in facts.stream_shards for lease in facts.leases):
        yield _error(
            what,
            f"has none of the {len(facts.leases)} shards in checkpoint table {settings.checkpoint_table}",
            "They are past the stream's 24 hours, or of another stream: changes after the checkpoints are lost",
            remedy,
        )


def _destination_ttl(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if facts.destination_ttl:
        yield _warning(
            f"destination table {settings.destination_table}",
            f"deletes items by itself (TTL on {facts.destination_ttl})",
            "It may lack items that the source still has",
            "Turn TTL off there: the source's own TTL deletes are replicated",
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
                yield _warning(
                    f"index {index['IndexName']} of destination table {settings.destination_table}",
                    f"wants {name} of type {destination_types.get(name)}, which the source does not hold its items to",
                    "The destination refuses an item whose value there is of another type",
                    "Check the source's items, or remove the index; see onError for what happens to such an item",
                )


_CHECKS = (
    _tables_active,
    _stream_on,
    _keys_match,
    _not_itself,
    _task_is_ours,
    _no_gap,
    _destination_ttl,
    _destination_indexes,
)
