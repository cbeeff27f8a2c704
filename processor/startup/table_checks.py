"""What is wrong with the two tables, by their descriptions: states, stream, keys, TTL, indexes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from processor.dynamodb import table_spec
from processor.dynamodb.describe import attribute_types, index_keys
from processor.reporting.findings import Finding, error, warning
from processor.state.loss_remedies import DELETED_MEANWHILE

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts

NEW_IMAGE_VIEWS = frozenset({"NEW_IMAGE", "NEW_AND_OLD_IMAGES"})
# Table states that DynamoDB ends by itself; a table that is archived, or has lost its KMS key, needs a person.
_PASSING_STATUSES = frozenset({"CREATING", "DELETING"})
# How a command turns the stream of a two-way task's table on.
_WITH_COPY = {
    "mirror": "; with enableStream=true copy does",
    "uplink": "; a table that copy makes by createDestination has it",
}


def tables_active(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether both can be used now."""
    for role, table, name in (
        (settings.source_side, facts.source, settings.source_table),
        (settings.destination_side, facts.destination, settings.destination_table),
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


def stream_on(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether the source's stream says what an item has become."""
    if not facts.source:
        return
    what = f"stream of {settings.source_side} table {settings.source_table}"
    specification = facts.source.get("StreamSpecification", {})
    if not specification.get("StreamEnabled"):
        yield error(
            "stream-off",
            what,
            "is off",
            "Changes leave no trace to replicate",
            "Run copy, which turns it on, as enableStream=true asks"
            if settings.enable_stream
            else "Turn it on with view type NEW_AND_OLD_IMAGES"
            + _WITH_COPY.get(settings.direction or "", " (or NEW_IMAGE); with enableStream=true copy does"),
        )
    elif not facts.source.get("LatestStreamArn") and "stream" not in facts.to_make:
        value = "is on, and has no ARN: DescribeTable's answer lacks a part"
        yield error(
            "stream-not-readable",
            what,
            value,
            "It can't be read",
            f"See what answers at {settings.source_side}Endpoint (a proxy?)",
            cause="outage",
        )
    elif settings.direction is not None and specification.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        yield error(
            "two-way-stream-view",
            what,
            f"has view type {specification.get('StreamViewType')}",
            "twoWay must see what an item was before",
            "Turn it off, then on with NEW_AND_OLD_IMAGES, and copy the table for what is missed" + DELETED_MEANWHILE,
        )
    elif specification.get("StreamViewType") not in NEW_IMAGE_VIEWS:
        yield error(
            "stream-view",
            what,
            f"has view type {specification.get('StreamViewType')}",
            "It does not say what an item has become",
            "Turn it off, then on with NEW_AND_OLD_IMAGES (or NEW_IMAGE), and copy the table for what is missed"
            + DELETED_MEANWHILE,
        )


def stream_has_begun(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether the stream has what is written from now on, which a copy needs."""
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


def keys_match(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether they have one key."""
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
    types = attribute_types(table)
    return [
        (part["KeyType"], part["AttributeName"], types.get(part["AttributeName"], "?"))
        for part in table.get("KeySchema", [])
    ]


def _shown(key: list[tuple[str, str, str]]) -> str:
    return ", ".join(f"{kind} {name} ({attribute_type})" for kind, name, attribute_type in key)


def not_itself(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether they are two."""
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


def fence_is_free(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether ``fenceAttribute`` is in none of the destination's keys."""
    name = settings.fence_attribute
    if settings.write_mode == "fenced" and name in attribute_types(facts.destination or {}):
        yield error(
            "fence-attribute-in-key",
            f"destination table {settings.destination_table}",
            f"has {name} in a key of its own or of an index",
            "writeMode=fenced keeps each item's sequence number there",
            "Name another attribute in fenceAttribute",
        )


def destination_ttl(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether the destination deletes only what the source deletes; ``two_way_checks`` asks for more."""
    if settings.direction is not None:
        return
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


def as_the_source(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """With ``createDestination``, whether the destination is as copy would have made it."""
    if settings.create_destination and facts.source and facts.destination:
        yield from table_spec.differences(
            facts.source,
            facts.destination,
            source_ttl=None if settings.keeps_expired else _ttl_there(settings, facts),
            destination_ttl=facts.destination_ttl,
            stream=settings.destination_stream,
        )


def destination_indexes(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether an index wants a type that the source's items may not have."""
    if not (facts.source and facts.destination):
        return
    source_types = attribute_types(facts.source)
    destination_types = attribute_types(facts.destination)
    keys = {name for _, name, _ in _key_of(facts.destination)}
    for index, name in index_keys(facts.destination):
        if name in keys or source_types.get(name) == destination_types.get(name):
            continue
        yield warning(
            "index-attribute",
            f"index {index} of destination table {settings.destination_table}",
            f"wants {name} of type {destination_types.get(name)}, which the source does not hold its items to",
            "The destination refuses an item whose value there is of another type",
            "Check the source's items, or remove the index; see onError for what happens to such an item",
        )
