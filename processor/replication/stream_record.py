"""Stream record → Change. Images and keys stay the raw JSON bytes they came as, so that nothing in them can be lost.

Pure. A record's own event name decides what it does: some of what stands between gives a REMOVE an empty NewImage, so
the presence of an image says nothing.

Where the task has a view of its items (``item_view.py``), what a record writes follows from both of its images:

=============  ===========  ============================================================
old image      new image    what is written
=============  ===========  ============================================================
any, or none   is seen      put of what is seen of it
is seen        is not seen  delete
none (INSERT)  is not seen  nothing; with ``ttlDeletes=ignore`` delete
is not seen    is not seen  nothing
is not known   is not seen  delete, which does no harm where there is nothing
is not seen    (REMOVE)     nothing
all others     (REMOVE)     delete
=============  ===========  ============================================================

A new image of which no view can be made is a put that can't be written: the change has a ``Fault``, and ``apply.py``
has it decided by ``onError``. An old one is taken for not known.

Two-way's uplink has no view; it passes over what the replicator has written itself (``two_way/spoke_record.py``).

With ``ttlDeletes=ignore`` a REMOVE by DynamoDB's TTL writes nothing. Its ``userIdentity`` says so (developer guide,
"DynamoDB Streams and Time to Live"): type Service, principal dynamodb.amazonaws.com. So an INSERT may find an earlier
item of its key that is kept, which goes when the key is used again, whether the new item is seen or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from processor.dynamodb.item_view import View
from processor.dynamodb.keys import decode_key, key_identity
from processor.errors import MalformedRecordError, UnviewableError
from processor.flow import shapes
from processor.replication.change import Change, viewed
from processor.replication.two_way.spoke_record import seen_by_uplink

if TYPE_CHECKING:
    from processor.replication.two_way.marker import Markers

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


class _Identity(msgspec.Struct):
    """Who made a change. The API has capitals, its examples in the developer guide have none."""

    capital_type: str = msgspec.field(name="Type", default="")
    capital_principal: str = msgspec.field(name="PrincipalId", default="")
    small_type: str = msgspec.field(name="type", default="")
    small_principal: str = msgspec.field(name="principalId", default="")

    @property
    def is_ttl(self) -> bool:
        return _TTL in (
            (self.capital_type, self.capital_principal),
            (self.small_type, self.small_principal),
        )


class _Removal(msgspec.Struct, rename="camel"):
    user_identity: _Identity | None = None


_TTL = ("Service", "dynamodb.amazonaws.com")
_array_decoder = shapes.decoder(list[msgspec.Raw])
_record_decoder = shapes.decoder(_StreamRecord)
_removal_decoder = shapes.decoder(_Removal)


def decode(
    data: bytes, view: View | None = None, *, keeps_expired: bool = False, spoke: Markers | None = None
) -> list[Change]:
    """Decode stream records, a JSON array of them, in their order.

    :param view: the task's view of its items
    :param keeps_expired: what TTL has removed stays at the destination
    :param spoke: the markers of a two-way task, if this is the stream of its spoke
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
    return [_change(record, view, keeps_expired=keeps_expired, spoke=spoke) for record in records]


def _change(data: msgspec.Raw, view: View | None, *, keeps_expired: bool, spoke: Markers | None) -> Change:
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
    kind: Literal["put", "delete"]
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
    change = Change(
        kind=kind,
        identity=identity,
        key=stream.keys,
        image=stream.new_image if kind == "put" else None,
        sequence_number=stream.sequence_number,
        created_ms=round((stream.approximate_creation_date_time or 0) * 1000),
        event_name=record.event_name,
        record_bytes=len(memoryview(data)),
    )
    if spoke is not None:
        old_image = None if bytes(stream.old_image).strip() in _NOT_KNOWN else stream.old_image
        return seen_by_uplink(change, old_image, markers=spoke, is_by_ttl=kind == "delete" and _is_by_ttl(data))
    if keeps_expired and kind == "delete" and _is_by_ttl(data):
        return msgspec.structs.replace(change, kind="nothing")
    return change if view is None else _seen(change, stream.old_image, view, may_be_kept=keeps_expired)


def _is_by_ttl(data: msgspec.Raw) -> bool:
    try:
        identity = _removal_decoder.decode(data).user_identity
    except msgspec.DecodeError as exc:
        message = f"who made a removal can't be understood ({exc})"
        raise MalformedRecordError(message) from exc
    return identity is not None and identity.is_ttl


def _seen(change: Change, old_image: msgspec.Raw, view: View, *, may_be_kept: bool) -> Change:
    """What is written of a record's new image, or of its having none any more: the table above."""
    if change.image is not None and (put := viewed(change, view)) is not None:
        return put
    kind: Literal["delete", "nothing"] = "delete"
    if change.event_name == "INSERT":
        kind = "delete" if may_be_kept else "nothing"
    elif _was_not_seen(old_image, view):
        kind = "nothing"
    return msgspec.structs.replace(change, kind=kind, image=None)


def _was_not_seen(old_image: msgspec.Raw, view: View) -> bool:
    """Whether it is known that nothing was written of an item before."""
    if bytes(old_image).strip() in _NOT_KNOWN:
        return False
    try:
        return view(old_image) is None
    except UnviewableError:
        return False
