"""The marker: what an item at the spoke says of the replicator's last write of it. Pure.

Applications write to both tables of a two-way task. The one that decides is the *hub*, the other the *spoke*. The hub's
items bear no marker; each item that the replicator writes at the spoke bears one, as a map in the attribute that
``markerAttribute`` names:

=====  ====  ==========================================================================================  =====
field  type  what it says                                                                                bytes
=====  ====  ==========================================================================================  =====
s      S     sequence number of the hub's record that was written, 40 digits (0: a copy's write)            40
t      N     when it was written, in ms since the epoch, by the replicator's clock                           8
n      B     nonce: no two writes have the same                                                              6
k      S     ``put``, or ``del``: it will be deleted in a moment                                             3
d      B     digest: 6 bytes of the key, 12 of all attributes but this one (of ``del``: zeros)              18
=====  ====  ==========================================================================================  =====

With the names of the fields, what a map takes, and the attribute's name of 12 letters, an item grows by 100 bytes
(``Markers.item_bytes``).

Applications know nothing of that, and may do anything to it: drop it with a put, keep it with an update, put an old
item back with it, copy it to another key, or use the attribute for something else. So:

- *Markers are compared as* ``(s, t)``: a later write of the replicator never has the lower one (``Marker.order``).
- *The digest says whether the item is as the replicator wrote it* (``Reading.is_intact``). It is made of the item's
  canonical form, in which numbers and sets are compared as DynamoDB does, so it outlives every notation.
- *The key's part of the digest says whether the marker is this item's*. One that was copied from another key would keep
  the mirror from this one, as its number may be higher than any that this key will see.
- *Whatever else stands in the attribute is no marker*, and never an error.

How others use it::

    markers = Markers(settings.marker_attribute)
    here = markers.read(spoke_item, identity_of(key))      # None for no item; here.marker is None where there is none
    markers.copied(hub_item, identity, over=here, stamp=new_stamp())     # a copy's, a repair's: keeps the number there
    markers.without(spoke_item)                                          # what verify compares, what goes to the hub

A write of ``copied`` has the condition ``conditions.MarkerIs(here.stored)``, and the hub's item is read *after* the
spoke's and once more *after* the write: if it has changed or gone meanwhile, all of it is done again (``restore.py``).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import msgspec

from processor.dynamodb import item_size
from processor.dynamodb.items import canonical_attributes, encoded, parsed
from processor.errors import MalformedItemError
from processor.flow import shapes
from processor.replication.change import SEQUENCE_NUMBER_DIGITS
from processor.replication.two_way.stamp import NONCE_BYTES, Stamp

_KEY_BYTES, _CONTENT_BYTES = 6, 12
# A write that no record of the hub has asked for: any record is newer.
NO_RECORD = 0

Kind = Literal["put", "del"]


class _S(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: str = msgspec.field(name="S")


class _N(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: str = msgspec.field(name="N")


class _B(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: bytes = msgspec.field(name="B")


class _Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    s: _S
    t: _N
    n: _B
    k: _S
    d: _B


class _Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fields: _Fields = msgspec.field(name="M")


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """A marker, as the table above has it; ``sequence_number`` is the number that its digits mean."""

    sequence_number: int
    written_ms: int
    nonce: bytes
    kind: Kind
    digest: bytes

    @property
    def order(self) -> tuple[int, int]:
        """Of two writes of the replicator to one item, the later has the higher one."""
        return self.sequence_number, self.written_ms

    @property
    def value(self) -> dict[str, Any]:
        """The attribute's value: DynamoDB JSON, once it is encoded."""
        return {
            "M": {
                "s": {"S": number_text(self.sequence_number)},
                "t": {"N": str(self.written_ms)},
                "n": {"B": self.nonce},
                "k": {"S": self.kind},
                "d": {"B": self.digest},
            }
        }

    @property
    def stored(self) -> msgspec.Raw:
        """The attribute's value as DynamoDB JSON."""
        return msgspec.Raw(msgspec.json.encode(self.value))


class Reading(NamedTuple):
    """What was found in an item at the spoke.

    ``marker`` is None where the item has none, or one that is not its own. ``stored`` is whatever stands in the
    attribute, as DynamoDB JSON; None for nothing. ``content`` is the canonical form of all else, equal for equal items.
    """

    marker: Marker | None
    stored: msgspec.Raw | None
    content: bytes

    @property
    def is_intact(self) -> bool:
        """Whether all but the marker is as the replicator has written it."""
        return self.marker is not None and self.marker.digest[_KEY_BYTES:] == _content_digest(self.content)


class Markers:
    """Makes and reads the markers of one task.

    An ``identity`` is the bytes of a key that are equal for equal keys: ``Change.identity``, ``keys.identity_of``.

    :param name: the attribute's
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._prefix = b"{%b:" % msgspec.json.encode(name)

    @property
    def item_bytes(self) -> int:
        """By how many bytes an item grows, as DynamoDB counts them."""
        longest = Marker(
            sequence_number=NO_RECORD,
            written_ms=10**13 - 1,
            nonce=bytes(NONCE_BYTES),
            kind="put",
            digest=bytes(_KEY_BYTES + _CONTENT_BYTES),
        )
        return item_size.item_bytes({self.name: msgspec.json.decode(longest.stored)})

    def read(self, item: msgspec.Raw | None, identity: bytes) -> Reading | None:
        """Read an item; None for no item.

        :param item: DynamoDB JSON
        :raises MalformedItemError: it is no DynamoDB JSON; whatever the attribute holds is never the reason
        """
        if item is None:
            return None
        attributes = parsed(item)
        value = attributes.pop(self.name, None)
        if value is None:
            return Reading(None, None, canonical_attributes(attributes))
        return Reading(_own(value, identity), msgspec.Raw(encoded(value)), canonical_attributes(attributes))

    def content(self, item: msgspec.Raw | None) -> bytes | None:
        """The canonical form of all but the attribute: equal for items that differ in nothing else. None for no item.

        :raises MalformedItemError: it is no DynamoDB JSON
        """
        if item is None:
            return None
        attributes = parsed(item)
        attributes.pop(self.name, None)
        return canonical_attributes(attributes)

    def without(self, item: msgspec.Raw) -> msgspec.Raw:
        """All but the attribute, each value byte for byte as it was.

        :raises MalformedItemError: it is no DynamoDB JSON
        """
        attributes = _raw_attributes(item)
        if self.name not in attributes:
            return item
        del attributes[self.name]
        return msgspec.Raw(msgspec.json.encode(attributes))

    def put(self, image: msgspec.Raw, identity: bytes, *, sequence_number: int, stamp: Stamp) -> msgspec.Raw:
        """What the mirror writes of the hub's item. All but the marker stays byte for byte as it is.

        :param image: DynamoDB JSON; an attribute of the marker's name is left out
        :param sequence_number: that of the hub's record
        :raises MalformedItemError: it is no DynamoDB JSON
        """
        attributes = parsed(image)
        unmarked = image if attributes.pop(self.name, None) is None else self.without(image)
        digest = _content_digest(canonical_attributes(attributes))
        marker = self._marker("put", identity, sequence_number, stamp, digest)
        return msgspec.Raw(b"%b%b,%b" % (self._prefix, bytes(marker.stored), bytes(unmarked).lstrip()[1:]))

    def deleting(self, identity: bytes, *, sequence_number: int, stamp: Stamp) -> Marker:
        """The marker of an item that the mirror will delete, whatever else the item has.

        :param sequence_number: that of the hub's record
        """
        return self._marker("del", identity, sequence_number, stamp, bytes(_CONTENT_BYTES))

    def copied(self, image: msgspec.Raw, identity: bytes, *, over: Reading | None, stamp: Stamp) -> msgspec.Raw:
        """What a copy or a repair writes of the hub's item, over an item at the spoke; see this module's beginning.

        The number that stands there stays: each record of the hub from it on is still to be applied, and will be. The
        time is later than the one there, so that the new marker is the later one whatever the clocks say.

        :param image: DynamoDB JSON
        :param over: what was read at the spoke before the hub's item was read; None for no item
        :raises MalformedItemError: it is no DynamoDB JSON
        """
        number, stamp = following(over, stamp)
        return self.put(image, identity, sequence_number=number, stamp=stamp)

    def _marker(self, kind: Kind, identity: bytes, sequence_number: int, stamp: Stamp, digest: bytes) -> Marker:
        return Marker(
            sequence_number=sequence_number,
            written_ms=stamp.written_ms,
            nonce=stamp.nonce,
            kind=kind,
            digest=_key_digest(identity) + digest,
        )


def following(over: Reading | None, stamp: Stamp) -> tuple[int, Stamp]:
    """The number of a marker that follows what was read, without a record of its own, and its stamp."""
    if over is None or over.marker is None:
        return NO_RECORD, stamp
    there = over.marker
    return there.sequence_number, stamp._replace(written_ms=max(stamp.written_ms, there.written_ms + 1))


def number_text(sequence_number: int) -> str:
    """A sequence number as markers have it: of one length, so that texts compare as numbers do."""
    return str(sequence_number).zfill(SEQUENCE_NUMBER_DIGITS)


def _own(value: dict[str, Any], identity: bytes) -> Marker | None:
    """The marker that the attribute holds, if it holds one that was made for this key."""
    try:
        fields = shapes.convert(value, _Map).fields
    except (msgspec.ValidationError, ValueError):
        return None
    number, time, kind, digest = fields.s.value, fields.t.value, fields.k.value, fields.d.value
    is_formed = (
        len(number) == SEQUENCE_NUMBER_DIGITS
        and _is_digits(number)
        and len(time) <= SEQUENCE_NUMBER_DIGITS
        and _is_digits(time)
        and kind in ("put", "del")
        and len(fields.n.value) == NONCE_BYTES
        and len(digest) == _KEY_BYTES + _CONTENT_BYTES
    )
    if not is_formed or digest[:_KEY_BYTES] != _key_digest(identity):
        return None
    return Marker(
        sequence_number=int(number),
        written_ms=int(time),
        nonce=fields.n.value,
        kind="put" if kind == "put" else "del",
        digest=digest,
    )


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _key_digest(identity: bytes) -> bytes:
    return blake2b(identity, digest_size=_KEY_BYTES).digest()


def _content_digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_CONTENT_BYTES).digest()


_attributes_decoder = shapes.decoder(dict[str, msgspec.Raw])


def _raw_attributes(item: msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return _attributes_decoder.decode(item)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc
