"""What a global table means for a replication: one reader of its stream, and no way between two replicas. Pure.

Who reads a stream is checked here, too, because that depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from processor.reporting.findings import Finding, error, warning
from processor.startup.stream_readers import MOST_READERS, MOST_READERS_OF_REPLICA

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts

Table = Mapping[str, Any]


class _Place(NamedTuple):
    """Where a table is. ``account`` is empty where its ARN is not AWS's."""

    account: str
    region: str
    name: str


def is_replica(table: Table | None) -> bool:
    """Whether DynamoDB itself replicates it (version 2019.11.21, by its description)."""
    return bool((table or {}).get("Replicas"))


def source_is_replica(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """What follows where others write to the source by way of its replicas, and AWS reads its stream, too."""
    if facts.source is None or not is_replica(facts.source):
        return
    here = _place(facts.source, settings.source_region).region
    others = ", ".join(sorted({replica.get("RegionName", "?") for replica in facts.source["Replicas"]} - {here}))
    yield warning(
        "source-is-replica",
        f"{settings.source_side} table {settings.source_table}",
        f"is a replica of a global table{f' (also in {others})' if others else ''}",
        "What is written to any replica is replicated from here. AWS advises one reader of such a table's stream, and "
        "this task is one",
        "Let nothing else read the stream, as another task or a Lambda function; too_many_readers says it of a daemon",
    )


def few_readers(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether this task would be one reader too many. Daemons of one task count once: they share the shards."""
    stream_arn = (facts.source or {}).get("LatestStreamArn", "")
    others = sorted(facts.readers_here.get(stream_arn, frozenset()) - {settings.checkpoint_table})
    most = MOST_READERS_OF_REPLICA if is_replica(facts.source) else MOST_READERS
    if len(others) >= most:
        yield warning(
            "stream-read-by-others",
            f"stream of {settings.source_side} table {settings.source_table}",
            f"is read on this machine by {len(others)} other task{'s' if len(others) > 1 else ''} "
            f"(checkpoint table{'s' if len(others) > 1 else ''} {', '.join(others)})",
            f"AWS throttles more than {'two readers' if most > 1 else 'one reader'} of a shard"
            f"{'' if most > 1 else ' of a global table'}: all of them would fall behind",
            "Stop one of them, or replicate to one destination and from there to the next",
        )


def not_one_global_table(settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Whether source and destination are replicas of the same global table, whichever of them says so."""
    if facts.source is None or facts.destination is None:
        return
    source = _place(facts.source, settings.source_region)
    destination = _place(facts.destination, settings.destination_region)
    if _has(facts.source, source, facts.destination, destination) or _has(
        facts.destination, destination, facts.source, source
    ):
        yield error(
            "destination-is-replica",
            f"destination table {settings.destination_table} in {settings.destination_region}",
            "is a replica of the global table that the source table belongs to",
            "DynamoDB replicates between them; each write of this task would come back as a change of the source",
            "Leave these two tables to DynamoDB, or name another destination",
        )


def _has(table: Table, place: _Place, other: Table, other_place: _Place) -> bool:
    """Whether the other one is among the table's replicas. Replicas have one name; an ARN knows another account."""
    for replica in table.get("Replicas") or ():
        if replica.get("ReplicaArn"):
            found = replica["ReplicaArn"] == other.get("TableArn")
        else:
            found = (replica.get("RegionName"), place.name, place.account) == (
                other_place.region,
                other_place.name,
                other_place.account,
            )
        if found and place != other_place:
            return True
    return False


def _place(table: Table, region: str) -> _Place:
    """By its ARN, ``arn:partition:dynamodb:region:account:table/name``, where it has one of AWS's form."""
    parts = str(table.get("TableArn", "")).split(":", 5)
    if len(parts) == 6 and parts[5].startswith("table/"):  # noqa: PLR2004  # the parts of an ARN
        return _Place(parts[4], parts[3], parts[5].removeprefix("table/"))
    return _Place("", region, str(table.get("TableName")))
