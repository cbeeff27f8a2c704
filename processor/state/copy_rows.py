"""How far a copy has come, in rows of the task table beside the checkpoint table.

One row says which copy it is and who runs it, one for each segment where it goes on. A row of a segment is written only
by whoever holds the segment (``holder``), so a copy that was believed dead can't undo its successor's progress.
"""

from __future__ import annotations

import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from processor.aws.errors import aws_errors
from processor.aws.redaction import HarmlessWords
from processor.dynamodb.missing_table import unless_missing
from processor.errors import ConditionFailedError, CopyTakenError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NAME = "copy"
_KEY = {"name": {"S": NAME}}
_CALLS_AT_ONCE = 8


class CopyState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is being copied, or was; times are milliseconds since the epoch.

    ``concurrent``: replication may run meanwhile. ``via``: where exported items lie, else the tables are read directly.
    ``beat`` grows for as long as ``holder`` runs it. ``onto_items``: the destination held items when it began.
    ``followed``: it was done, and a replication went on since. ``expired``: items past their TTL, which are not copied;
    ``ttl`` is the attribute that it was on when it began.
    """

    id: str
    state: Literal["running", "done"] = "running"
    concurrent: bool = False
    holder: str = ""
    host: str = ""
    beat: int = 0
    segments: int = 0
    started_ms: int
    finished_ms: int | None = None
    stream_arn: str
    source_id: str = ""
    destination_id: str = ""
    expected_items: int = 0
    expected_bytes: int = 0
    onto_items: bool = False
    followed: bool = False
    via: str = ""
    export_arn: str = ""
    import_arn: str = ""
    items: int = 0
    size_bytes: int = 0
    expired: int = 0
    ttl: str = ""

    @property
    def age_seconds(self) -> float:
        """Since it began, by this machine's clock."""
        return time.time() - self.started_ms / 1000


class SegmentState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where one segment goes on: after the item of key ``start``, or at its beginning.

    ``in_hand``: keys that may hold an older image now, for a copy beside a replication was looking after them; this
    one, or an earlier one that was never finished.
    """

    number: int
    start: msgspec.Raw | None = None
    done: bool = False
    items: int = 0
    size_bytes: int = 0
    expired: int = 0
    in_hand: list[msgspec.Raw] = []


def read(client: DynamoDBClient, table: str) -> CopyState | None:
    """The copy of this task; None where there was none.

    :raises UnavailableError: the table can't be read
    """

    def get() -> Any:
        with aws_errors(f"GetItem on task table {table}"):
            return client.get_item(TableName=table, Key=_KEY, ConsistentRead=True).get("Item")

    row = unless_missing(get)
    return None if row is None else _copy(row, table)


def read_segments(client: DynamoDBClient, table: str, copy: CopyState) -> list[SegmentState]:
    """Those segments of ``copy`` that have been begun.

    :raises UnavailableError: the table can't be read
    """
    found = _scan(client, table, "copyId = :value", copy.id)
    # What lies past them was left in hand by an earlier copy in more segments.
    return [segment for segment in found if segment.number < copy.segments]


def read_in_hand(client: DynamoDBClient, table: str) -> list[SegmentState]:
    """Those segments, of whatever copy, that have keys in hand.

    :raises UnavailableError: the table can't be read
    """
    return _scan(client, table, "attribute_exists(inHand) AND begins_with(#name, :value)", f"{NAME}#", "name")


def _scan(client: DynamoDBClient, table: str, condition: str, value: str, *names: str) -> list[SegmentState]:
    found: list[SegmentState] = []
    more: dict[str, Any] = {"ExpressionAttributeNames": {f"#{name}": name for name in names}} if names else {}
    while True:
        with aws_errors(f"Scan of task table {table}"):
            page: Any = client.scan(
                TableName=table,
                ConsistentRead=True,
                FilterExpression=condition,
                ExpressionAttributeValues={":value": {"S": value}},
                **more,
            )
        found += [_segment(row, table) for row in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return found
        more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def write(client: DynamoDBClient, table: str, copy: CopyState, *, before: CopyState | None) -> None:
    """Store the row of the copy itself.

    :param before: the row as it was read; who runs it and its beat must still be those
    :raises CopyTakenError: somebody else has written it since
    :raises UnavailableError: it can't be stored now
    """
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(holder)"}
    if before is not None:
        condition = {
            "ConditionExpression": "holder = :holder AND beat = :beat",
            "ExpressionAttributeValues": {":holder": {"S": before.holder}, ":beat": {"N": str(before.beat)}},
        }
    try:
        with aws_errors(f"PutItem on task table {table}"):
            client.put_item(TableName=table, Item=_KEY | _row(copy), **condition)
    except ConditionFailedError as exc:
        raise CopyTakenError(table) from exc


def delete(client: DynamoDBClient, table: str, *, before: CopyState) -> None:
    """Forget the copy; what it has written stays.

    :param before: the row as it was read; who runs it and its beat must still be those
    :raises CopyTakenError: somebody else has written it since
    :raises UnavailableError: it can't be done now
    """
    try:
        with aws_errors(f"DeleteItem on task table {table}"):
            client.delete_item(
                TableName=table,
                Key=_KEY,
                # It is gone where the answer to a first try was lost.
                ConditionExpression="attribute_not_exists(holder) OR (holder = :holder AND beat = :beat)",
                ExpressionAttributeValues={":holder": {"S": before.holder}, ":beat": {"N": str(before.beat)}},
            )
    except ConditionFailedError as exc:
        raise CopyTakenError(table) from exc


def mark_followed(client: DynamoDBClient, table: str, copy: CopyState) -> None:
    """Store that a replication went on since ``copy`` was done.

    :raises ConditionFailedError: another one has been begun meanwhile
    :raises UnavailableError: it can't be stored now
    """
    with aws_errors(f"UpdateItem on task table {table}"):
        client.update_item(
            TableName=table,
            Key=_KEY,
            UpdateExpression="SET followed = :true",
            ConditionExpression="id = :id AND #state = :done",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":true": {"BOOL": True}, ":id": {"S": copy.id}, ":done": {"S": "done"}},
        )


def claim(client: DynamoDBClient, table: str, copy: CopyState) -> list[SegmentState]:
    """Make ``copy.holder`` the only one to go on with the segments; returns where each of them stands.

    An earlier copy's keys in hand are still to be looked after. Of one that was made in more segments, those past
    ``copy.segments`` come with them, done but for that.

    :raises UnavailableError: it can't be done now
    """

    def one(number: int) -> SegmentState:
        with aws_errors(f"UpdateItem on task table {table}"):
            row = client.update_item(
                TableName=table,
                Key=_segment_key(number),
                UpdateExpression="SET holder = :holder",
                ExpressionAttributeValues={":holder": {"S": copy.holder}},
                ReturnValues="ALL_NEW",
            ).get("Attributes", {})
        if row.get("copyId", {}).get("S") == copy.id:
            return _segment(row, table)
        # A row of an earlier copy says nothing else of this one. Its keys stay there until this one stores its own.
        return SegmentState(number=number, done=number >= copy.segments, in_hand=_in_hand(row))

    past = [found.number for found in read_in_hand(client, table) if found.number >= copy.segments]
    with ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="claim") as pool:
        return list(pool.map(one, [*range(copy.segments), *past]))


def save(client: DynamoDBClient, table: str, copy: CopyState, segment: SegmentState) -> None:
    """Store where a segment goes on.

    :raises CopyTakenError: somebody else goes on with it
    :raises UnavailableError: it can't be stored now
    """
    row: dict[str, Any] = {
        "copyId": {"S": copy.id},
        "holder": {"S": copy.holder},
        "done": {"BOOL": segment.done},
        "items": {"N": str(segment.items)},
        "sizeBytes": {"N": str(segment.size_bytes)},
        "expired": {"N": str(segment.expired)},
    }
    if segment.start is not None:
        row["start"] = {"S": bytes(segment.start).decode()}
    if segment.in_hand:
        row["inHand"] = {"B": zlib.compress(msgspec.json.encode(segment.in_hand), 1)}
    try:
        with aws_errors(f"PutItem on task table {table}", HarmlessWords((table,))):
            client.put_item(
                TableName=table,
                Item=_segment_key(segment.number) | row,
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": copy.holder}},
            )
    except ConditionFailedError as exc:
        raise CopyTakenError(table) from exc


def _segment_key(number: int) -> dict[str, Any]:
    return {"name": {"S": f"{NAME}#{number:06}"}}


def _segment(row: dict[str, Any], table: str) -> SegmentState:
    try:
        return SegmentState(
            number=int(row["name"]["S"].partition("#")[2]),
            start=msgspec.Raw(row["start"]["S"].encode()) if "start" in row else None,
            done=row["done"]["BOOL"],
            items=int(row["items"]["N"]),
            size_bytes=int(row["sizeBytes"]["N"]),
            expired=int(row.get("expired", {"N": "0"})["N"]),
            in_hand=_in_hand(row),
        )
    except (KeyError, ValueError, zlib.error) as exc:
        raise _not_ours(table, row, exc) from exc


def _not_ours(table: str, row: dict[str, Any], exc: Exception) -> UnavailableError:
    name = row.get("name", {}).get("S", "?")
    return UnavailableError(
        f"Task table {table} holds a row '{name}' that is not ours ({exc!r})", code=type(exc).__name__
    )


def _in_hand(row: dict[str, Any]) -> list[msgspec.Raw]:
    if "inHand" not in row:
        return []
    return msgspec.json.decode(zlib.decompress(_bytes(row["inHand"]["B"])), type=list[msgspec.Raw])


def _bytes(value: Any) -> bytes:
    return bytes(getattr(value, "value", value))


def _row(copy: CopyState) -> dict[str, Any]:
    return {name: _typed(value) for name, value in msgspec.to_builtins(copy).items() if value is not None}


def _typed(value: str | int | bool) -> dict[str, Any]:  # noqa: FBT001  # a value, no switch
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _copy(row: dict[str, Any], table: str) -> CopyState:
    try:
        values = {
            name: int(value["N"]) if "N" in value else next(iter(value.values()), None)
            for name, value in row.items()
            if name != "name"
        }
        return msgspec.convert(values, CopyState)
    except ValueError as exc:  # msgspec's is one too
        raise _not_ours(table, row, exc) from exc
