"""A record of the spoke's stream as the uplink sees it: an application's change, or an echo of the mirror's. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from processor.errors import MalformedRecordError
from processor.replication.two_way.origin import is_replicators

if TYPE_CHECKING:
    from processor.replication.change import Change
    from processor.replication.two_way.marker import Markers


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
    image = None if change.image is None else markers.without(change.image)
    return msgspec.structs.replace(change, image=image, old_image=old_image)
