"""Reads KCL's checkpoint (lease) table; it never writes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.errors import aws_errors
from processor.dynamodb.absence import unless_missing
from processor.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# KCL's checkpoint of a shard whose records are all processed.
SHARD_END = "SHARD_END"
# KCL's checkpoint of a shard of which no record is processed yet.
_BEGINNING = "TRIM_HORIZON"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """One shard's row: who reads it, and how far; ``parents`` are the shards that must be finished before it.

    ``applied``: how many of its records are applied, up to the checkpoint, since the row was made, and ``filtered``:
    how many of these the settings left out (``RecordCounts.java``); None if that was not counted.
    """

    shard_id: str
    owner: str | None
    counter: int
    checkpoint: str | None
    parents: tuple[str, ...] = ()
    applied: int | None = None
    filtered: int | None = None

    @property
    def finished(self) -> bool:
        """Whether all records of the shard are processed."""
        return self.checkpoint == SHARD_END


def read(client: DynamoDBClient, table: str) -> list[Lease] | None:
    """All leases, or None if the table does not exist.

    From version 3.5 on KCL keeps its own state in the same table, in rows with an ``entityType``; they are left out.

    :raises UnavailableError: the table can't be read
    """
    return unless_missing(lambda: _scan(client, table))


def _scan(client: DynamoDBClient, table: str) -> list[Lease]:
    found: list[Lease] = []
    start: dict[str, Any] = {}
    while True:
        with aws_errors(f"Scan of checkpoint table {table}"):
            page = client.scan(TableName=table, ConsistentRead=True, **start)
        found += _leases(table, (row for row in page["Items"] if "entityType" not in row))
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def delete(client: DynamoDBClient, table: str, shard_ids: Iterable[str]) -> None:
    """Delete leases, and what is known of how far their shards were read.

    :raises UnavailableError: it can't be done now; some may be gone
    """
    for shard_id in shard_ids:
        with aws_errors(f"DeleteItem on checkpoint table {table}"):
            client.delete_item(TableName=table, Key={"leaseKey": {"S": shard_id}})


def begun(found: Iterable[Lease] | None) -> bool:
    """Whether a replication has moved past the beginning of any shard; a lease alone shows only a start."""
    return any(lease.checkpoint not in (None, _BEGINNING) for lease in found or ())


def _leases(table: str, rows: Iterable[dict[str, Any]]) -> list[Lease]:
    try:
        return [_lease(row) for row in rows]
    except (KeyError, ValueError) as exc:
        message = f"Checkpoint table {table} holds a row that is none of KCL's ({exc!r})"
        raise UnavailableError(message, code=type(exc).__name__) from exc


def _lease(row: dict[str, Any]) -> Lease:
    return Lease(
        shard_id=row["leaseKey"]["S"],
        owner=row.get("leaseOwner", {}).get("S"),
        counter=int(row.get("leaseCounter", {}).get("N", "0")),
        checkpoint=row.get("checkpoint", {}).get("S"),
        parents=tuple(row.get("parentShardId", {}).get("SS", ())),
        applied=_count(row.get("recordsApplied", {}).get("N")),
        filtered=_count(row.get("recordsFiltered", {}).get("N")),
    )


def _count(stored: str | None) -> int | None:
    """A number that nothing depends on: one that is wrong prevents nothing."""
    return int(stored) if stored is not None and stored.isdecimal() else None


def read_some(client: DynamoDBClient, table: str, shard_ids: Collection[str]) -> dict[str, Lease]:
    """The leases that exist, by shard.

    :param shard_ids: 100 at most (BatchGetItem's API reference)
    :raises UnavailableError: the table can't be read
    """
    found: dict[str, Lease] = {}
    wanted: Any = {table: {"Keys": [{"leaseKey": {"S": each}} for each in shard_ids], "ConsistentRead": True}}
    while wanted:
        with aws_errors(f"BatchGetItem on checkpoint table {table}"):
            page = client.batch_get_item(RequestItems=wanted)
        found |= {lease.shard_id: lease for lease in _leases(table, page["Responses"].get(table, []))}
        wanted = page.get("UnprocessedKeys")
    return found
