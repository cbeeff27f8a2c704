"""A record of the spoke's stream as the uplink sees it: an application's change, or an echo of the mirror's. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from processor.errors import MalformedRecordError
from processor.replication.two_way.marker import number_text
from processor.replication.two_way.origin import is_replicators
from processor.replication.two_way.spoke_write import SpokeWrite

if TYPE_CHECKING:
    from processor.replication.change import Change
    from processor.replication.two_way.marker import Markers, Reading


def seen_by_uplink(
    change: Change, old_image: msgspec.Raw | None, *, markers: Markers, is_by_ttl: bool = False
) -> Change:
    """What is to become of a record: the change without the marker, or an echo, which writes nothing.

    :param change: as a replication in one direction has it
    :param old_image: the record's; None if it has none
    :raises MalformedRecordError: the stream does not have the images that are needed
    :raises MalformedItemError: one of them is no DynamoDB JSON
    """
    if old_image is None and change.event_name != "INSERT":
        message = (
            f"a stream record ({change.event_name}, sequence number {change.sequence_number}) has no old image: with "
            "twoWay the stream's view type must be NEW_AND_OLD_IMAGES"
        )
        raise MalformedRecordError(message)
    if change.event_name == "INSERT":
        old_image = None
    old, new = (markers.read(image, change.identity) for image in (old_image, change.image))
    if is_replicators(old, new, created_ms=change.created_ms, is_by_ttl=is_by_ttl):
        return msgspec.structs.replace(change, kind="echo", image=None)
    write = spoke_write(change, old_image, before=old, after=new, markers=markers)
    return msgspec.structs.replace(change, image=write.new, spoke_writes=(write,))


def spoke_write(
    change: Change, old_image: msgspec.Raw | None, *, before: Reading | None, after: Reading | None, markers: Markers
) -> SpokeWrite:
    """An application's write, from its record.

    :param old_image: the record's; None for no item
    :param before: ``old_image``, read
    :param after: the new image, read
    """
    marker = None if before is None else before.marker
    return SpokeWrite(
        old=_unmarked(old_image, before, markers),
        new=_unmarked(change.image, after, markers),
        before=None if before is None else before.content,
        after=None if after is None else after.content,
        sequence_number=change.sequence_number,
        created_ms=change.created_ms,
        hub_sequence_number=None if marker is None else number_text(marker.sequence_number).lstrip("0") or "0",
        mirrored_ms=None if marker is None else marker.written_ms,
    )


def _unmarked(image: msgspec.Raw | None, reading: Reading | None, markers: Markers) -> msgspec.Raw | None:
    return image if image is None or reading is None or reading.stored is None else markers.without(image)
