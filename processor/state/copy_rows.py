"""Stores a copy's progress in rows of the task table, which is beside the checkpoint table.

One row says which copy it is and which processes work on it (``sharing/work_rows.py``). One row for each segment says
where the segment resumes. A segment's row is written only by the process that holds it (``holder``), so a process that
was believed dead can't undo its successor's progress.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from processor.errors import CopyTakenError
from processor.flow import shapes
from processor.state import own_row
from processor.state.own_row import Row, not_ours
from processor.state.sharing.work import Work
from processor.state.sharing.work_rows import WorkRows, part_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class CopyState(Work, frozen=True, kw_only=True, rename="camel"):
    """The copy in progress, or the last one; times are milliseconds since the epoch.

    ``concurrent``: replication may run meanwhile. ``via``: where the exported items are, or empty if the source itself
    is read. ``members`` is None by way of S3, and in an older release. ``onto_items``: the destination held items at
    its start. ``followed``: the copy is finished and a replication has gone on since. ``expired``: number of items past
    their TTL, which are not copied; ``ttl`` is the source's TTL attribute at its start. ``filtered``: number of items
    that the settings leave out; ``view_digest``: by which view of the items it is made.
    """

    concurrent: bool = False
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


ROWS = WorkRows("copy", CopyState, CopyTakenError)
read = ROWS.read
write = ROWS.write
delete = ROWS.delete


def read_segments(client: DynamoDBClient, table: str, copy: CopyState) -> list[SegmentState]:
    """The segments of ``copy`` that have been begun.

    :raises UnavailableError: the table can't be read
    """
    found = [_segment(row, table) for row in ROWS.scan(client, table, "copyId = :value", copy.id)]
    # Rows with higher numbers are of an earlier copy with more segments, which left keys in them.
    return [segment for segment in found if segment.number < copy.segments]


def read_in_hand(client: DynamoDBClient, table: str) -> list[SegmentState]:
    """The segments, of any copy, whose keys must still be brought up to date.

    :raises UnavailableError: the table can't be read
    """
    condition = "attribute_exists(inHand) AND begins_with(#name, :value)"
    return [_segment(row, table) for row in ROWS.scan(client, table, condition, f"{ROWS.name}#", "name")]


def mark_followed(client: DynamoDBClient, table: str, copy: CopyState) -> None:
    """Store that a replication has gone on since ``copy`` was finished.

    :raises ConditionFailedError: another one has been begun meanwhile
    :raises UnavailableError: it can't be stored now
    """
    own_row.update(
        client,
        table,
        ROWS.key,
        "SET followed = :true",
        condition="id = :id AND #state = :done",
        values={":true": True, ":id": copy.id, ":done": "done"},
        names={"#state": "state"},
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
    return [_segment_row(row, table) for row in ROWS.parts(client, table)]


def take(client: DynamoDBClient, table: str, copy: CopyState, number: int, *, seen: str) -> SegmentRow:
    """Make ``copy.holder`` the only process that may go on with a segment; returns its row.

    :param seen: who was seen to hold it, and works no more; empty where nobody did
    :raises CopyTakenError: another process has taken it since
    :raises UnavailableError: it can't be done now
    """
    return _segment_row(ROWS.take(client, table, number, holder=copy.holder, seen=seen), table)


def save(client: DynamoDBClient, table: str, copy: CopyState, segment: SegmentState) -> None:
    """Store where a segment resumes.

    :raises CopyTakenError: another process has taken it over
    :raises UnavailableError: it can't be stored now
    """
    row: Row = {
        "copyId": {"S": copy.id},
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
    ROWS.save(client, table, segment.number, row, holder=copy.holder)


def _segment_row(row: Row, table: str) -> SegmentRow:
    holder, copy_id = row.get("holder", {}).get("S", ""), row.get("copyId", {}).get("S", "")
    number = part_number(row, table)
    state = _segment(row, table) if "copyId" in row else None
    return SegmentRow(number=number, holder=holder, copy_id=copy_id, state=state)


def _segment(row: Row, table: str) -> SegmentState:
    try:
        return SegmentState(
            number=part_number(row, table),
            start=msgspec.Raw(row["start"]["S"].encode()) if "start" in row else None,
            done=row["done"]["BOOL"],
            items=int(row["items"]["N"]),
            size_bytes=int(row["sizeBytes"]["N"]),
            expired=int(row.get("expired", {"N": "0"})["N"]),
            filtered=int(row.get("filtered", {"N": "0"})["N"]),
            in_hand=_in_hand(row),
        )
    except (KeyError, ValueError, zlib.error) as exc:
        raise not_ours(table, row, exc) from exc


def _in_hand(row: Row) -> list[msgspec.Raw]:
    if "inHand" not in row:
        return []
    return shapes.decode(zlib.decompress(_bytes(row["inHand"]["B"])), list[msgspec.Raw])


def _bytes(value: Any) -> bytes:
    return bytes(getattr(value, "value", value))
