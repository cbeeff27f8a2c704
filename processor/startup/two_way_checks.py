"""What a two-way task can't do with these settings and these tables. Pure.

Each direction is looked at as a task of its own; what is wrong with both together is said of the mirror. Tasks of one
direction have nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from processor.dynamodb.describe import attribute_types
from processor.reporting.findings import Finding, error
from processor.settings.settings import VIEW_FIELDS

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts


def by_itself(settings: Settings) -> Iterator[Finding]:
    """What is wrong whatever the tables are."""
    if settings.direction != "mirror":
        return
    if lossy := [_name_of(field) for field in VIEW_FIELDS if getattr(settings, field) is not None]:
        yield _wrong(
            "two-way-view",
            f"twoWay=true and {', '.join(lossy)}",
            "are both set",
            "What is left out or changed on the way to the destination has no way back",
            "Leave one of them out: twoWay replicates whole items, all of them",
        )
    if settings.write_mode != "batch":
        yield _wrong(
            "two-way-write-mode",
            f"twoWay=true and writeMode={settings.write_mode}",
            "are both set",
            "twoWay writes in a way of its own: each write asks for an older marker, as writeMode=fenced does for an "
            "older number",
            "Leave writeMode out",
        )
    if settings.keeps_expired:
        yield _wrong(
            "two-way-archive",
            "twoWay=true and ttlDeletes=ignore",
            "are both set",
            "An archive keeps what its source has no more, so the two tables would never be equal",
            "Leave ttlDeletes out, or make the archive a task of its own, from one of the two tables",
        )
    if settings.on_error == "deadLetter":
        yield _wrong(
            "two-way-dead-letters",
            "twoWay=true and onError=deadLetter",
            "are both set",
            "A change that is set aside would leave the two tables different, with no later change to make them equal",
            "Leave onError out (hold), or set it to stop",
        )
    if by_itself := [
        name
        for name, is_set in (("bootstrap=true", settings.bootstrap), ("afterLoss=copy", settings.after_loss == "copy"))
        if is_set
    ]:
        yield _wrong(
            "two-way-by-itself",
            f"twoWay=true and {' and '.join(by_itself)}",
            "are both set",
            "A copy that is made by itself could put the source's item over what an application has written to the "
            "destination, and a repair could delete it, with nobody there to look at the conflicts",
            f"Leave {' and '.join(name.partition('=')[0] for name in by_itself)} out: copy and verify by hand",
        )
    if settings.conflict_uri is None:
        yield _wrong(
            "two-way-conflicts",
            "conflictUri",
            "is not set, but twoWay=true is",
            "What loses a conflict would be in no table and nowhere else",
            "Say where both images of each conflict are to be kept: file:///path/name.jsonl or s3://bucket/prefix",
        )


def _name_of(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(map(str.title, others))


def _wrong(name: str, what: str, value: str, consequence: str, remedy: str) -> Finding:
    return error(name, what, value, consequence, remedy, cause="setup")


def with_tables(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """What is wrong with these tables."""
    if settings.direction != "mirror":
        return
    for role, table, name in (
        ("source", facts.source, settings.source_table),
        ("destination", facts.destination, settings.destination_table),
    ):
        if settings.marker_attribute in attribute_types(table or {}):
            yield error(
                "marker-attribute-in-key",
                f"{role} table {name}",
                f"has {settings.marker_attribute} in a key of its own or of an index",
                "twoWay keeps its marker there, in each item of the destination and in none of the source",
                "Name another attribute in markerAttribute",
            )
    if facts.destination_ttl and facts.destination_ttl != facts.source_ttl:
        others = f"on {facts.source_ttl}" if facts.source_ttl else "off, or not for us to see"
        yield error(
            "two-way-ttl",
            f"destination table {settings.destination_table}",
            f"deletes items by itself (TTL on {facts.destination_ttl}; the source's is {others})",
            "What it deletes stays at the source, which deletes by another date or none",
            "Turn TTL off there, or have it on the source's attribute: the source's own TTL deletes are replicated",
        )
