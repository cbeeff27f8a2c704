"""Rows of the task table that say why single shards can't go on, so that ``status`` sees it from any machine.

=========  ==========================================================================================================
kind       the shard
=========  ==========================================================================================================
hold       waits at a change that needs a person
outage     writes one batch again and again, because the destination does not accept it
loss       can't go on: changes after its checkpoint are older than the stream's 24 hours
=========  ==========================================================================================================

A row is named ``<kind>#<shard id>``. Only ``status`` depends on it. A hold or outage is over when the shard's
checkpoint has reached its sequence number (``is_over``), whether the row could be removed or not. A loss is over when
the shard's checkpoint has passed the place at which it was found. The daemon writes losses (``LossRows.java``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from processor.aws.errors import aws_errors
from processor.aws.redaction import HarmlessWords
from processor.errors import NotFoundError, UnavailableError
from processor.flow import shapes
from processor.state.leases import SHARD_END

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Kind = Literal["hold", "outage", "loss"]
_KINDS = frozenset(get_args(Kind))


class Hold(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One row. ``since_ms``, and ``seen_ms``, when it was last seen to be so, are milliseconds since the epoch.

    ``sequence_number`` is that of the change at which the shard waits, or of the last one of its batch; empty if it is
    not known. For a loss it is where the shard was read to, which its checkpoint may reach only when
    ``checkpointIntervalMillis`` is over; empty for a shard without a lease. ``reason`` is for people, and contains
    nothing of an item except its key.
    """

    kind: Kind
    shard_id: str
    since_ms: int
    seen_ms: int
    sequence_number: str = ""
    reason: str = ""

    def is_over(self, checkpoint: str | None) -> bool:
        """Whether the shard's checkpoint shows that it has gone on."""
        if checkpoint == SHARD_END:
            return True
        if not (checkpoint and checkpoint.isdecimal() and self.sequence_number.isdecimal()):
            return self.kind == "loss" and checkpoint is not None and checkpoint != self.sequence_number
        reached = int(checkpoint) - int(self.sequence_number)
        return reached > 0 if self.kind == "loss" else reached >= 0


def read(client: DynamoDBClient, table: str) -> list[Hold]:
    """All rows, in the order of their names.

    :raises UnavailableError: the task table can't be read, or has a row that is not ours
    """
    start: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    begins = {f":{kind}": {"S": f"{kind}#"} for kind in sorted(_KINDS)}
    while True:
        try:
            with aws_errors(f"Scan of task table {table}"):
                page = client.scan(
                    TableName=table,
                    ConsistentRead=True,
                    FilterExpression=" OR ".join(f"begins_with(#name, {value})" for value in begins),
                    ExpressionAttributeNames={"#name": "name"},
                    ExpressionAttributeValues=begins,
                    **start,
                )
        except NotFoundError:
            return []
        rows += page["Items"]
        if "LastEvaluatedKey" not in page:
            return sorted((_hold(row, table) for row in rows), key=lambda hold: (hold.kind, hold.shard_id))
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def put(client: DynamoDBClient, table: str, hold: Hold) -> None:
    """Store a row. If there is already one for the same change, its ``since_ms`` is kept.

    :raises UnavailableError: it can't be stored now
    """
    key = _key(hold.kind, hold.shard_id)
    with aws_errors(f"GetItem on task table {table}"):
        row = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    since_ms = hold.since_ms
    if row.get("sequenceNumber", {}).get("S") == hold.sequence_number:
        since_ms = min(since_ms, int(row.get("sinceMs", {}).get("N", since_ms)))
    with aws_errors(f"PutItem on task table {table}", HarmlessWords((table,))):
        client.put_item(
            TableName=table,
            Item=key
            | {
                "sinceMs": {"N": str(since_ms)},
                "seenMs": {"N": str(hold.seen_ms)},
                "sequenceNumber": {"S": hold.sequence_number},
                "reason": {"S": hold.reason},
            },
        )


def remove(client: DynamoDBClient, table: str, kind: Kind, shard_id: str) -> None:
    """Remove a row, if it is there.

    :raises UnavailableError: it can't be removed now
    """
    with aws_errors(f"DeleteItem on task table {table}"):
        client.delete_item(TableName=table, Key=_key(kind, shard_id))


def _key(kind: Kind, shard_id: str) -> dict[str, Any]:
    return {"name": {"S": f"{kind}#{shard_id}"}}


def _hold(row: dict[str, Any], table: str) -> Hold:
    name = row.get("name", {}).get("S", "?")
    kind, _, shard_id = name.partition("#")
    try:
        return shapes.convert(
            {
                "kind": kind,
                "shardId": shard_id,
                "sinceMs": int(row["sinceMs"]["N"]),
                "seenMs": int(row.get("seenMs", row["sinceMs"])["N"]),
                "sequenceNumber": row.get("sequenceNumber", {}).get("S", ""),
                "reason": row.get("reason", {}).get("S", ""),
            },
            Hold,
        )
    except (KeyError, ValueError) as exc:  # msgspec's is one too
        message = f"Task table {table} holds a row '{name}' that is not ours ({exc!r})"
        raise UnavailableError(message, code=type(exc).__name__) from exc
