"""Stores a copy's progress in rows of the task table, which is beside the checkpoint table.

One row says which copy it is and which processes work on it (``copy_members.py``). One row for each segment says where
the segment resumes. A segment's row is written only by the process that holds it (``holder``), so a process that was
believed dead can't undo its successor's progress.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from processor.aws.errors import aws_errors
from processor.aws.redaction import HarmlessWords
from processor.dynamodb.missing_table import unless_missing
from processor.errors import ConditionFailedError, CopyTakenError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NAME = "copy"
KEY = {"name": {"S": NAME}}


class CopyMember(msgspec.Struct, frozen=True, kw_only=True):
    """A process that works on a copy: where it is, and a number that grows while it does."""

    host: str
    beat: int = 0


class CopyState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The copy in progress, or the last one; times are milliseconds since the epoch.

    ``concurrent``: replication may run meanwhile. ``via``: where the exported items are, or empty if the source itself
    is read. ``beat`` grows while anybody works on the copy. ``members``: who does, by their ids; None where ``holder``
    alone does, by way of S3 or in an older release. ``onto_items``: the destination held items at its start.
    ``followed``: the copy is finished and a replication has gone on since. ``expired``: number of items past their TTL,
    which are not copied; ``ttl`` is the source's TTL attribute at its start. ``filtered``: number of items that the
    settings leave out; ``view_digest``: by which view of the items it is made.
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
    filtered: int = 0
    view_digest: str = ""
    members: dict[str, CopyMember] | None = None

    @property
    def age_seconds(self) -> float:
        """Seconds since it began, by this machine's clock."""
        return time.time() - self.started_ms / 1000


class SegmentState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where one segment resumes: after the item with the key ``start``, or at its beginning.

    ``in_hand``: keys that a copy beside a replication was writing, this copy or an earlier unfinished one. They may
    hold an older image until they are brought up to date.
    """

    number: int
    start: msgspec.Raw | None = None
    done: bool = False
    items: int = 0
    size_bytes: int = 0
    expired: int = 0
    filtered: int = 0
    in_hand: list[msgspec.Raw] = []


def read(client: DynamoDBClient, table: str) -> CopyState | None:
    """The copy of this task, or None if there was none.

    :raises UnavailableError: the table can't be read
    """

    def get() -> Any:
        with aws_errors(f"GetItem on task table {table}"):
            return client.get_item(TableName=table, Key=KEY, ConsistentRead=True).get("Item")

    row = unless_missing(get)
    return None if row is None else parsed(row, table)


def read_segments(client: DynamoDBClient, table: str, copy: CopyState) -> list[SegmentState]:
    """The segments of ``copy`` that have been begun.

    :raises UnavailableError: the table can't be read
    """
    found = [_segment(row, table) for row in _scan(client, table, "copyId = :value", copy.id)]
    # Rows with higher numbers are of an earlier copy with more segments, which left keys in them.
    return [segment for segment in found if segment.number < copy.segments]


def read_in_hand(client: DynamoDBClient, table: str) -> list[SegmentState]:
    """The segments, of any copy, whose keys must still be brought up to date.

    :raises UnavailableError: the table can't be read
    """
    condition = "attribute_exists(inHand) AND begins_with(#name, :value)"
    return [_segment(row, table) for row in _scan(client, table, condition, f"{NAME}#", "name")]


def _scan(client: DynamoDBClient, table: str, condition: str, value: str, *names: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
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
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def write(client: DynamoDBClient, table: str, copy: CopyState, *, before: CopyState | None) -> None:
    """Store the row of the copy itself.

    :param before: the row as it was read; its holder and beat must be unchanged
    :raises CopyTakenError: another process has written it since
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
            client.put_item(TableName=table, Item=KEY | _row(copy), **condition)
    except ConditionFailedError as exc:
        raise CopyTakenError(table) from exc


def delete(client: DynamoDBClient, table: str, *, before: CopyState) -> None:
    """Delete the copy's row; the items that it has written stay.

    :param before: the row as it was read; its holder and beat must be unchanged
    :raises CopyTakenError: another process has written it since
    :raises UnavailableError: it can't be done now
    """
    try:
        with aws_errors(f"DeleteItem on task table {table}"):
            client.delete_item(
                TableName=table,
                Key=KEY,
                # It is gone if only the answer to the first attempt was lost.
                ConditionExpression="attribute_not_exists(holder) OR (holder = :holder AND beat = :beat)",
                ExpressionAttributeValues={":holder": {"S": before.holder}, ":beat": {"N": str(before.beat)}},
            )
    except ConditionFailedError as exc:
        raise CopyTakenError(table) from exc


def mark_followed(client: DynamoDBClient, table: str, copy: CopyState) -> None:
    """Store that a replication has gone on since ``copy`` was finished.

    :raises ConditionFailedError: another one has been begun meanwhile
    :raises UnavailableError: it can't be stored now
    """
    with aws_errors(f"UpdateItem on task table {table}"):
        client.update_item(
            TableName=table,
            Key=KEY,
            UpdateExpression="SET followed = :true",
            ConditionExpression="id = :id AND #state = :done",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":true": {"BOOL": True}, ":id": {"S": copy.id}, ":done": {"S": "done"}},
        )


class SegmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A segment as it is stored, by whichever copy; ``state`` is None where it was only taken so far."""

    number: int
    holder: str
    copy_id: str
    state: SegmentState | None

    def left_of(self, copy: CopyState) -> SegmentState | None:
        """What ``copy`` has to do of it, or None if that is nothing.

        Of an earlier copy's row only the keys in hand matter. If that copy had more segments, those past
        ``copy.segments`` are finished except for these keys.
        """
        found = self.state
        if found is None or self.copy_id != copy.id:
            in_hand = found.in_hand if found else []
            found = SegmentState(number=self.number, done=self.number >= copy.segments, in_hand=in_hand)
        return None if found.done and not found.in_hand else found


def read_rows(client: DynamoDBClient, table: str) -> list[SegmentRow]:
    """All rows of segments, of any copy.

    :raises UnavailableError: the table can't be read
    """
    rows = _scan(client, table, "begins_with(#name, :value)", f"{NAME}#", "name")
    return [_segment_row(row, table) for row in rows]


def take(client: DynamoDBClient, table: str, copy: CopyState, number: int, *, seen: str) -> SegmentRow:
    """Make ``copy.holder`` the only process that may go on with a segment; returns its row.

    :param seen: who was seen to hold it, and works no more; empty where nobody did
    :raises CopyTakenError: another process has taken it since
    :raises UnavailableError: it can't be done now
    """
    # It is ours already if only the answer to the first attempt was lost.
    try:
        with aws_errors(f"UpdateItem on task table {table}"):
            row: dict[str, Any] = client.update_item(
                TableName=table,
                Key=_segment_key(number),
                UpdateExpression="SET holder = :holder",
                ConditionExpression="attribute_not_exists(holder) OR holder IN (:holder, :seen)",
                ExpressionAttributeValues={":holder": {"S": copy.holder}, ":seen": {"S": seen}},
                ReturnValues="ALL_NEW",
            ).get("Attributes", {})
    except ConditionFailedError as exc:
        raise CopyTakenError(table) from exc
    return _segment_row(_segment_key(number) | row, table)


def save(client: DynamoDBClient, table: str, copy: CopyState, segment: SegmentState) -> None:
    """Store where a segment resumes.

    :raises CopyTakenError: another process has taken it over
    :raises UnavailableError: it can't be stored now
    """
    row: dict[str, Any] = {
        "copyId": {"S": copy.id},
        "holder": {"S": copy.holder},
        "done": {"BOOL": segment.done},
        "items": {"N": str(segment.items)},
        "sizeBytes": {"N": str(segment.size_bytes)},
        "expired": {"N": str(segment.expired)},
        **({"filtered": {"N": str(segment.filtered)}} if segment.filtered else {}),
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


def _segment_row(row: dict[str, Any], table: str) -> SegmentRow:
    holder, copy_id = row.get("holder", {}).get("S", ""), row.get("copyId", {}).get("S", "")
    try:
        number = int(row["name"]["S"].partition("#")[2])
    except (KeyError, ValueError) as exc:
        raise _not_ours(table, row, exc) from exc
    state = _segment(row, table) if "copyId" in row else None
    return SegmentRow(number=number, holder=holder, copy_id=copy_id, state=state)


def _segment(row: dict[str, Any], table: str) -> SegmentState:
    try:
        return SegmentState(
            number=int(row["name"]["S"].partition("#")[2]),
            start=msgspec.Raw(row["start"]["S"].encode()) if "start" in row else None,
            done=row["done"]["BOOL"],
            items=int(row["items"]["N"]),
            size_bytes=int(row["sizeBytes"]["N"]),
            expired=int(row.get("expired", {"N": "0"})["N"]),
            filtered=int(row.get("filtered", {"N": "0"})["N"]),
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


def _typed(value: str | int | bool | dict[str, Any]) -> dict[str, Any]:  # noqa: FBT001  # a value, no switch
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, dict):
        return {"M": {name: _typed(each) for name, each in value.items()}}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _plain(value: dict[str, Any]) -> Any:
    if "M" in value:
        return {name: _plain(each) for name, each in value["M"].items()}
    return int(value["N"]) if "N" in value else next(iter(value.values()), None)


def parsed(row: dict[str, Any], table: str) -> CopyState:
    """The row of a copy, as DynamoDB has it.

    :raises UnavailableError: it is none
    """
    try:
        return msgspec.convert({name: _plain(value) for name, value in row.items() if name != "name"}, CopyState)
    except ValueError as exc:  # msgspec's is one too
        raise _not_ours(table, row, exc) from exc
