"""Stream record → Change. Images and keys stay the raw JSON bytes they came as, so that nothing in them can be lost.

Pure. A record's own event name decides what it does: some of what stands between gives a REMOVE an empty NewImage, so
the presence of an image says nothing.
"""

from __future__ import annotations

from decimal import Context
from typing import Literal

import msgspec

from processor.errors import MalformedItemError, MalformedRecordError

# A number in DynamoDB has up to 38 significant digits.
_EXACT = Context(prec=38)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one stream record asks of the destination.

    ``kind``: put writes ``image``, delete removes ``key``. ``key`` and ``image`` are DynamoDB JSON, byte for byte as
    the stream gave them. ``identity`` is equal for equal keys and for no others. ``created_ms`` is the source's clock
    in milliseconds since the epoch, to the second (DynamoDB Local: to the minute); 0 where the record has none.
    ``record_bytes`` is the record's length, as JSON.
    """

    kind: Literal["put", "delete"]
    identity: bytes
    key: msgspec.Raw
    image: msgspec.Raw | None
    sequence_number: str
    created_ms: int
    event_name: str
    record_bytes: int = 0

    @property
    def key_names(self) -> list[str]:
        """The key's attributes."""
        return list(_key_decoder.decode(self.key))

    @property
    def key_types(self) -> dict[str, str]:
        """The key's attributes, each with its type (``S``, ``N`` or ``B``): what the source's key is made of."""
        return {name: next(iter(value)) for name, value in _key_decoder.decode(self.key).items()}


class _StreamData(msgspec.Struct, rename="pascal"):
    keys: msgspec.Raw
    sequence_number: str
    new_image: msgspec.Raw = msgspec.Raw(b"{}")
    approximate_creation_date_time: float | None = None


class _StreamRecord(msgspec.Struct, rename="camel"):
    event_name: str
    dynamodb: _StreamData


_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_record_decoder = msgspec.json.Decoder(_StreamRecord)
_key_decoder = msgspec.json.Decoder(dict[str, dict[str, str]])


def decode(data: bytes) -> list[Change]:
    """Decode stream records, a JSON array of them, in their order.

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
    return [_change(record) for record in records]


def _change(data: msgspec.Raw) -> Change:
    try:
        record = _record_decoder.decode(data)
        stream = record.dynamodb
        identity = key_identity(_key_decoder.decode(stream.keys))
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
    return Change(
        kind=kind,
        identity=identity,
        key=stream.keys,
        image=stream.new_image if kind == "put" else None,
        sequence_number=stream.sequence_number,
        created_ms=round((stream.approximate_creation_date_time or 0) * 1000),
        event_name=record.event_name,
        record_bytes=len(memoryview(data)),
    )


def identity_of(key: msgspec.Raw) -> bytes:
    """``Change.identity`` of a key that came otherwise than in a stream record.

    :param key: DynamoDB JSON
    :raises MalformedItemError: it is none
    """
    try:
        return key_identity(_key_decoder.decode(key))
    except (msgspec.DecodeError, ArithmeticError, RecursionError, ValueError) as exc:
        raise MalformedItemError(f"a key that can't be understood ({type(exc).__name__})") from exc


def normal_number(value: str) -> str:
    """One notation for equal numbers: 1.0, 1 and 10E-1 are the same.

    :raises ArithmeticError: it is no number
    """
    whole, point, fraction = value.partition(".")
    if (
        len(value) <= _EXACT.prec
        and whole.isdecimal()
        and whole[0] != "0"
        and (fraction.isdecimal() if point else whole[-1] != "0")
        and value[-1] != "0"
        and value.isascii()
    ):
        return value  # as most are, at a fraction of the cost
    return str(_EXACT.plus(_EXACT.create_decimal(value)).normalize(_EXACT))


def key_identity(key: dict[str, dict[str, str]]) -> bytes:
    """Bytes that are equal for equal keys: attribute order and a number's notation (1.0, 1, 10E-1) don't matter.

    :param key: ``{name: {type: value}}``, binary values as base64 text
    :raises ArithmeticError: a number that is none
    """
    parts = []
    for name in sorted(key):
        ((kind, value),) = key[name].items()
        parts.append((name, kind, normal_number(value) if kind == "N" else value))
    return msgspec.json.encode(parts)
