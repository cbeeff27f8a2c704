"""What keeps single shards from going on, as rows of the task table, so that ``status`` sees it from any machine.

=========  ==========================================================================================================
kind       the shard
=========  ==========================================================================================================
hold       waits at a change that a person must see to
outage     writes one batch again and again, for the destination does not take it
loss       can't go on: changes after its checkpoint are past the stream's 24 hours
=========  ==========================================================================================================

A row is named ``<kind>#<shard id>``. Nothing hangs on it but what ``status`` says. A hold or outage whose sequence
number the shard's checkpoint has reached is over (``is_over``), whether its row could be removed or not; so is a loss
that another checkpoint than the shard's was given up at. The daemon keeps losses (``LossRows.java``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from processor.aws.errors import aws_errors
from processor.aws.redaction import HarmlessWords
from processor.errors import NotFoundError, UnavailableError
from processor.state.leases import SHARD_END

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Kind = Literal["hold", "outage", "loss"]
_KINDS = frozenset(get_args(Kind))


class Hold(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One row. ``since_ms`` and ``seen_ms``, the last time that it was so, are milliseconds since the epoch.

    ``sequence_number`` is that of the change, or of the last one of the batch, that the shard waits at; empty where it
    is not known. Of a loss it is the shard's checkpoint, empty for a shard without a lease. ``reason`` is for people,
    and has no item's contents but its key.
    """

    kind: Kind
    shard_id: str
    since_ms: int
    seen_ms: int
    sequence_number: str = ""
    reason: str = ""

    def is_over(self, checkpoint: str | None) -> bool:
        """Whether the shard has gone on, as its checkpoint says."""
        if self.kind == "loss":
            return checkpoint is not None and checkpoint != self.sequence_number
        if checkpoint == SHARD_END:
            return True
        if not (checkpoint and checkpoint.isdecimal() and self.sequence_number.isdecimal()):
            return False
        return int(checkpoint) >= int(self.sequence_number)


def read(client: DynamoDBClient, table: str) -> list[Hold]:
    """All that there are, in the order of their names.

    :raises UnavailableError: the task table can't be read, or holds one that is not ours
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
    """Store a row. One that waits at the same change already keeps the time since when it does.

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
        return msgspec.convert(
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
