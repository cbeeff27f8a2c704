"""Makes the destination like the source if ``createDestination`` asks for it, and turns the source's stream on.

1. A table that is there already is left as it is; ``check`` says how it differs.
2. Only its TTL is turned on if it is still empty: an earlier run may have ended before that, because TTL can be turned
   on only when the table is there. All else, tags too, is in the one call that makes the table.
3. What may fail without harm (tags, TTL) is a warning, and the table is made without it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.dynamodb import table_spec, time_to_live
from processor.dynamodb.describe import described, described_if_there
from processor.dynamodb.occupancy import has_items
from processor.errors import CredentialsError, InUseError, RefusedError, UnavailableError
from processor.flow.waiter import Say, Waiter
from processor.reporting.findings import Finding, error, warning
from processor.startup import source_stream
from processor.startup.failed_call import cause_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.aws.clients import Clients
    from processor.settings.identity import Identity
    from processor.settings.settings import Settings


def ensure(
    settings: Settings,
    clients: Clients,
    say: Say,
    *,
    stop: threading.Event | None = None,
    every_seconds: float = 1.0,
) -> list[Finding]:
    """Do what ``createDestination`` and ``enableStream`` ask for and is not done yet.

    Called again at any time, after it was killed anywhere, it does what is left.

    :param say: is told what is done, line by line
    :param every_seconds: how often to look whether AWS has done it
    :returns: errors where it could not be done, warnings for what is not as it is at the source
    :raises StoppedError: ``stop`` was set meanwhile; AWS goes on with what it was told
    """
    if not (settings.create_destination or settings.enable_stream):
        return []
    waiter = Waiter(say, stop=stop, every_seconds=every_seconds)
    what = f"source table {settings.source_table} in {settings.source_region}"
    try:
        source = describe(clients.source(), settings.source_table, settings.source_region)
    except (UnavailableError, RefusedError) as exc:
        remedy = "Check its name, region and endpoint, and the credentials"
        return [_failed(what, "can't be read", exc, remedy, identity=settings.source_identity)]
    if source is None:
        remedy = "Check its name, region, account and endpoint"
        return [
            error(
                "source-missing",
                what,
                "does not exist",
                "There is nothing to copy, or to make the destination like",
                remedy,
            )
        ]
    findings = []
    if settings.enable_stream:
        try:
            source_stream.turn_on(settings, clients, source, waiter=waiter, say=say)
        except (UnavailableError, RefusedError) as exc:
            remedy = f"Allow that call, or turn it on yourself with view type {table_spec.STREAM['StreamViewType']}"
            value, identity = "could not be turned on", settings.source_identity
            findings.append(_failed(f"stream of {what}", value, exc, remedy, identity=identity))
    if settings.create_destination:
        findings += _destination(settings, clients, source, waiter=waiter, say=say)
    return findings


def describe(client: DynamoDBClient, name: str, region: str) -> dict[str, Any] | None:
    """``Table`` of DescribeTable's answer; None where there is no such table.

    :raises UnavailableError: it can't be known now
    :raises RefusedError: DynamoDB refuses the question
    """
    return described_if_there(client, name, call=f"DescribeTable on table {name} in {region}")


def _destination(
    settings: Settings, clients: Clients, source: Mapping[str, Any], *, waiter: Waiter, say: Say
) -> list[Finding]:
    name, region = settings.destination_table, settings.destination_region
    what = f"destination table {name} in {region}"
    findings: list[Finding] = []
    try:
        found = describe(clients.destination(), name, region)
        if found is None:
            findings += _create(settings, clients, source, say=say)
        if found is None or found["TableStatus"] == "CREATING":
            wait_until_active(settings, clients, waiter)
            say(f"Destination table {name} is active")
        elif found["TableStatus"] not in ("ACTIVE", "UPDATING"):
            return findings  # the preflight says so
        return [*findings, *copy_ttl(settings, clients, say=say, only_if_empty=found is not None)]
    except (UnavailableError, RefusedError) as exc:
        remedy = "Put right what AWS names above; or make the table yourself, with the source's key"
        failed = _failed(what, "could not be made", exc, remedy, identity=settings.destination_identity)
        return [*findings, failed]


def _create(settings: Settings, clients: Clients, source: Mapping[str, Any], *, say: Say) -> Iterator[Finding]:
    name, region = settings.destination_table, settings.destination_region
    yield from table_spec.left_out(source, name)
    tags, untagged = source_tags(clients, source)
    yield from untagged
    wanted = table_spec.request(source, name, tags=tags, stream=settings.destination_stream)
    say(f"Making destination table {name} in {region} as source table {source['TableName']} is")
    try:
        _create_table(clients.destination(), wanted, region)
    except CredentialsError as exc:
        if not wanted.pop("Tags", None):
            raise
        # Tags in the call need a permission of their own. First with them: an organisation may insist on some.
        try:
            _create_table(clients.destination(), wanted, region)
        except CredentialsError:
            raise exc from None
        yield _untagged(name, f"could not be set ({exc})", "Allow dynamodb:TagResource, and set them")


def _create_table(client: DynamoDBClient, wanted: dict[str, Any], region: str) -> None:
    # Where it is in use, another run was a moment earlier.
    with contextlib.suppress(InUseError), aws_errors(f"CreateTable of table {wanted['TableName']} in {region}"):
        client.create_table(**wanted)


def source_tags(clients: Clients, source: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[Finding]]:
    """The source's tags that may be given to another table; and a warning if they can't be read."""
    found: list[dict[str, str]] = []
    page: dict[str, Any] = {}
    try:
        while True:
            with aws_errors(f"ListTagsOfResource on table {source['TableName']}"):
                page = dict(clients.source().list_tags_of_resource(ResourceArn=source["TableArn"], **page))
            found += page.get("Tags", [])
            if not page.get("NextToken"):
                return table_spec.own_tags(found), []
            page = {"NextToken": page["NextToken"]}
    except (UnavailableError, RefusedError) as exc:
        remedy = "Allow dynamodb:ListTagsOfResource on it, or set them yourself"
        return [], [_untagged(source["TableName"], f"can't be read ({exc})", remedy)]


def copy_tags(settings: Settings, clients: Clients, source: Mapping[str, Any]) -> Iterator[Finding]:
    """Set the source's tags on a destination that was made without; to set them once more does no harm."""
    name, region = settings.destination_table, settings.destination_region
    tags, untagged = source_tags(clients, source)
    yield from untagged
    if not tags:
        return
    try:
        table = describe(clients.destination(), name, region) or {}
        with aws_errors(f"TagResource on table {name} in {region}"):
            clients.destination().tag_resource(ResourceArn=table["TableArn"], Tags=tags)  # type: ignore[arg-type]  # dicts
    except (UnavailableError, RefusedError) as exc:
        yield _untagged(name, f"could not be set ({exc})", "Allow dynamodb:TagResource, and set them")


def _untagged(name: str, value: str, remedy: str) -> Finding:
    return warning(
        "tags-not-copied", f"tags of table {name}", value, "The destination has none of the source's", remedy
    )


def wait_until_active(settings: Settings, clients: Clients, waiter: Waiter) -> None:
    """Wait for the destination and all its indexes.

    :raises UnavailableError: it can't be seen, or is not there, for five minutes
    """
    name, region = settings.destination_table, settings.destination_region

    def look() -> bool | None:
        found = described(clients.destination(), name, call=f"DescribeTable on table {name} in {region}")
        return True if table_spec.is_active(found.table) else None

    waiter.until(look, f"destination table {name} to be active")


def copy_ttl(settings: Settings, clients: Clients, *, say: Say, only_if_empty: bool = False) -> Iterator[Finding]:
    """Turn the destination's TTL on where the source's is; what it deletes, the source deletes too.

    It is on the name that the attribute has there, and off where its items don't have it, or are to be kept.
    """
    name = settings.destination_table
    if settings.keeps_expired:
        return
    try:
        ours = time_to_live.look(clients.source(), settings.source_table, settings.source_region).attribute
        ours = None if ours is None else settings.destination_name(ours)
        if ours is None:
            return
        if time_to_live.look(clients.destination(), name, settings.destination_region).attribute is not None:
            return
        if only_if_empty and not _is_surely_empty(clients.destination(), name):
            return
        with aws_errors(f"UpdateTimeToLive on table {name}"):
            clients.destination().update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": ours}
            )
        say(f"TTL of destination table {name} is on {ours}, as the source's")
    except (UnavailableError, RefusedError) as exc:
        consequence = (
            "Its TTL may be off where the source's is on; what the source deletes is deleted there all the same"
        )
        remedy = (
            "Allow dynamodb:DescribeTimeToLive on both, UpdateTimeToLive on the destination, or turn it on yourself"
        )
        yield warning(
            "ttl-not-copied", f"TTL of destination table {name}", f"could not be copied ({exc})", consequence, remedy
        )


def _is_surely_empty(client: DynamoDBClient, name: str) -> bool:
    try:
        return not has_items(client, name)
    except (UnavailableError, RefusedError):
        return False  # then it is left as it is


def _failed(what: str, value: str, exc: UnavailableError | RefusedError, remedy: str, *, identity: Identity) -> Finding:
    consequence = "Nothing is copied before that is put right"
    return error("table-not-made", what, f"{value} ({exc})", consequence, remedy, cause=cause_of(exc, identity))
