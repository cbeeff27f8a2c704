"""Stream record → Change. Images and keys stay the raw JSON bytes they came as, so that nothing in them can be lost.

Pure. A record's own event name decides what it does: some of what stands between gives a REMOVE an empty NewImage, so
the presence of an image says nothing.

Where the task has a view of its items (``item_view.py``), what a record writes follows from both of its images:

=============  ===========  ============================================================
old image      new image    what is written
=============  ===========  ============================================================
any, or none   is seen      put of what is seen of it
is seen        is not seen  delete
none (INSERT)  is not seen  nothing
is not seen    is not seen  nothing
is not known   is not seen  delete, which does no harm where there is nothing
is not seen    (REMOVE)     nothing
all others     (REMOVE)     delete
=============  ===========  ============================================================
"""

from __future__ import annotations

from typing import Literal

import msgspec

from processor.dynamodb.item_view import View
from processor.dynamodb.keys import decode_key, key_identity
from processor.errors import MalformedRecordError
from processor.replication.change import Change

# An image that is not there is absent, or empty.
_NO_IMAGE = msgspec.Raw(b"{}")
_NOT_KNOWN = (b"{}", b"null")


class _StreamData(msgspec.Struct, rename="pascal"):
    keys: msgspec.Raw
    sequence_number: str
    new_image: msgspec.Raw = _NO_IMAGE
    old_image: msgspec.Raw = _NO_IMAGE
    approximate_creation_date_time: float | None = None


class _StreamRecord(msgspec.Struct, rename="camel"):
    event_name: str
    dynamodb: _StreamData


_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_record_decoder = msgspec.json.Decoder(_StreamRecord)


def decode(data: bytes, view: View | None = None) -> list[Change]:
    """Decode stream records, a JSON array of them, in their order.

    :param view: the task's view of its items
    :raises MalformedRecordError: the first that lacks what a change needs, or is of an unknown kind
    """
    try:
        str(data, "utf-8")  # what stays raw is not looked at
        records = _array_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        message = f"they are no JSON array ({exc})"
        raise MalformedRecordError(message) from exc
    if not records:
        message = "there are none"  # there would be nothing to checkpoint
        raise MalformedRecordError(message)
    return [_change(record, view) for record in records]


def _change(data: msgspec.Raw, view: View | None) -> Change:
    try:
        record = _record_decoder.decode(data)
        stream = record.dynamodb
        identity = key_identity(decode_key(stream.keys))
    except (msgspec.DecodeError, ArithmeticError, RecursionError, ValueError) as exc:
        message = f"a stream record can't be understood ({exc})"
        raise MalformedRecordError(message) from exc
    if not (stream.sequence_number.isdecimal() and stream.sequence_number.isascii()):
        message = "a stream record has no sequence number of digits"  # KCL would take words for places of its own
        raise MalformedRecordError(message)
    if identity == b"[]":
        message = f"a stream record (sequence number {stream.sequence_number}) has no key"
        raise MalformedRecordError(message)
    kind: Literal["put", "delete", "nothing"]
    if record.event_name in ("INSERT", "MODIFY"):
        kind = "put"
        image = bytes(stream.new_image).strip()
        if image == b"{}" or not image.startswith(b"{"):
            message = (
                f"a stream record ({record.event_name}, sequence number {stream.sequence_number}) has no new image: "
                "the stream's view type must be NEW_IMAGE or NEW_AND_OLD_IMAGES"
            )
            raise MalformedRecordError(message)
    elif record.event_name == "REMOVE":
        kind = "delete"
    else:
        message = f"a stream record (sequence number {stream.sequence_number}) is of an unknown kind"
        raise MalformedRecordError(message)
    written: msgspec.Raw | None = stream.new_image if kind == "put" else None
    if view is not None:
        kind, written = _seen(record, written, view)
    return Change(
        kind=kind,
        identity=identity,
        key=stream.keys,
        image=written,
        sequence_number=stream.sequence_number,
        created_ms=round((stream.approximate_creation_date_time or 0) * 1000),
        event_name=record.event_name,
        record_bytes=len(memoryview(data)),
    )


def _seen(
    record: _StreamRecord, image: msgspec.Raw | None, view: View
) -> tuple[Literal["put", "delete", "nothing"], msgspec.Raw | None]:
    """What is written of a record's new image, or of its having none any more: the table above."""
    seen = None if image is None else view(image)
    if seen is not None:
        return "put", seen
    if record.event_name == "INSERT":
        return "nothing", None
    old = record.dynamodb.old_image
    was_seen = bytes(old).strip() in _NOT_KNOWN or view(old) is not None
    return ("delete" if was_seen else "nothing"), None
