"""Reads the row of the task table in which a daemon notes that it can't use the checkpoint table (``OutageRow.java``).

A daemon that can't renew its leases looks like one that has stopped; this row tells ``status`` that it hasn't.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from processor.aws.errors import aws_errors
from processor.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A daemon writes it every 30 s during the outage; the rest allows for clocks that differ.
_FRESH_SECONDS = 120.0


class CheckpointOutage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Since when ``worker`` can't use the checkpoint table (ms since the epoch), and the reason, for people."""

    worker: str
    since_ms: int
    reason: str


def read(client: DynamoDBClient, table: str, *, now: float | None = None) -> CheckpointOutage | None:
    """The outage, or None if there is none, or if the daemon that noted it has not renewed the note.

    :param now: seconds since the epoch; by default the clock's
    :raises UnavailableError: the task table can't be read
    """
    try:
        with aws_errors(f"GetItem on task table {table}"):
            row = client.get_item(TableName=table, Key={"name": {"S": "checkpoints"}}, ConsistentRead=True).get("Item")
    except NotFoundError:
        return None
    if row is None:
        return None
    try:
        seen_ms, since_ms = int(row["seenMs"]["N"]), int(row["sinceMs"]["N"])
        found = CheckpointOutage(worker=row["worker"]["S"], since_ms=since_ms, reason=row["reason"]["S"])
    except (KeyError, ValueError) as exc:
        message = f"Task table {table} holds a row 'checkpoints' that is not ours ({exc!r})"
        raise UnavailableError(message, code=type(exc).__name__) from exc
    age = (time.time() if now is None else now) - seen_ms / 1000
    return found if age < _FRESH_SECONDS else None
