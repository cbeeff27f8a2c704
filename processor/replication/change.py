"""A change: what one stream record, or one item of the source, asks of the destination. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from processor.dynamodb.item_view import View
from processor.dynamodb.keys import decode_key
from processor.errors import UnviewableError
from processor.replication.two_way.spoke_write import SpokeWrite

# Streams API reference: a sequence number has 21 to 40 digits. Texts of one length compare as their numbers do, which
# the type N can't promise: it is exact to 38 digits.
SEQUENCE_NUMBER_DIGITS = 40


class Fault(msgspec.Struct, frozen=True):
    """Why nothing can be written for a change, now or later; ``code`` is an error code of ours."""

    reason: str
    code: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one stream record asks of the destination.

    ``kind``: put writes ``image``, delete removes ``key``, nothing leaves the destination as it is, and so does echo,
    which is the replicator's own write at the spoke of a two-way task. ``key`` is DynamoDB
    JSON, byte for byte as the stream gave it; so is ``image``, or as the task's view made it. ``identity`` is equal for
    equal keys and for no others. ``created_ms`` is the source's clock in milliseconds since the epoch, to the second
    (DynamoDB Local: to the minute); 0 where the record has none. ``record_bytes`` is the record's length, as JSON.
    ``source_item`` is the source's item where ``image`` is a view of it, or nothing could be made of it: ``fault`` says
    why, and then there is no image. ``spoke_writes`` is what two-way's uplink needs: the application's write, or
    several that are applied as one (``two_way/chains.py``), of which the rest of the change is the last one's.
    """

    kind: Literal["put", "delete", "nothing", "echo"]
    identity: bytes
    key: msgspec.Raw
    image: msgspec.Raw | None
    sequence_number: str
    created_ms: int
    event_name: str
    record_bytes: int = 0
    source_item: msgspec.Raw | None = None
    fault: Fault | None = None
    spoke_writes: tuple[SpokeWrite, ...] = ()

    @property
    def key_names(self) -> list[str]:
        """The key's attributes."""
        return list(decode_key(self.key))

    @property
    def key_types(self) -> dict[str, str]:
        """The key's attributes, each with its type (``S``, ``N`` or ``B``): what the source's key is made of."""
        return {name: next(iter(value)) for name, value in decode_key(self.key).items()}


def viewed(put: Change, view: View) -> Change | None:
    """A put of a source's item as the task's view has it; None if nothing is written of the item.

    :param put: its ``image`` is the source's item
    :returns: with a ``fault`` where no view of it can be made
    """
    item = put.image
    assert item is not None  # noqa: S101  # it is a put
    try:
        seen = view(item)
    except UnviewableError as exc:
        fault = Fault(reason=str(exc), code=exc.code)
        return msgspec.structs.replace(put, image=None, source_item=item, fault=fault)
    if seen is None:
        return None
    return put if seen is item else msgspec.structs.replace(put, image=seen, source_item=item)


def bytes_of(change: Change) -> bytes:
    """The JSON that the write carries: a put's image, a delete's key."""
    return bytes(change.image if change.image is not None else change.key)
