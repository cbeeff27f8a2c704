"""The mirror: a record of the hub, applied at the spoke. Pure; ``requests.py`` says who makes its requests.

It applies *every* record of the hub, those that the uplink has caused included: only so the spoke goes through what the
hub's order says, whatever was written at the spoke meanwhile. A record is older than what the spoke's item has if the
item's marker has its number or a higher one; then there is nothing to do, and a replay does no harm.

A put is one write. A delete takes two, for a removed item bears no marker, and the uplink has to know whose removal it
was: the item is marked, then deleted on condition that it still bears that very mark::

          put, record 7          mark, record 8      delete              app puts, mark gone    delete fails
     ─────────┼────────────────────────┼────────────────┼────    or   ─────────────┼──────────────────┼───── and again
     item: {…, put 7}            {…, del 8}         no item                      {…}

An application's put over a mark drops it; the delete then fails, and all begins anew: the hub's delete is newer than
what that put was based on. Its update keeps the mark, and the item goes with it. Either way the uplink meets the
application's write in the spoke's stream, and decides (``uplink.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.replication.two_way.conditions import Deletable, MarkerIs, Older
from processor.replication.two_way.marker import Markers, Reading
from processor.replication.two_way.requests import (
    Delete,
    Found,
    Get,
    Outcome,
    Put,
    SetMarker,
    Steps,
    Written,
    item_of,
)
from processor.replication.two_way.stamp import Stamp

if TYPE_CHECKING:
    import msgspec

# In the following, ``identity`` is the key's (``marker.Markers``), ``stamp`` makes a new stamp for each request.


def mirror_put(
    image: msgspec.Raw, identity: bytes, sequence_number: int, *, markers: Markers, stamp: Callable[[], Stamp]
) -> Steps[bool]:
    """Write the hub's item at the spoke.

    :param image: DynamoDB JSON, the record's new image
    :returns: whether it was written; False where a newer record of the hub was there
    :raises MalformedItemError: the image, or what is there, is no DynamoDB JSON
    """
    condition: Older | MarkerIs = Older(sequence_number)
    while True:
        item = markers.put(image, identity, sequence_number=sequence_number, stamp=stamp())
        outcome = yield Put(item, condition)
        if isinstance(outcome, Written):
            return True
        there = yield from _there(outcome, identity, markers)
        if _is_newer(there, sequence_number):
            return False
        condition = Older(sequence_number) if _is_ordinary(there) else _just(there)


def mirror_delete(
    identity: bytes, sequence_number: int, *, markers: Markers, stamp: Callable[[], Stamp]
) -> Steps[bool]:
    """Delete the item at the spoke that the hub has deleted.

    :returns: whether it was deleted; False where nothing was there, or a newer record of the hub
    :raises MalformedItemError: what is there is no DynamoDB JSON
    """
    condition: Deletable | MarkerIs = Deletable(sequence_number)
    while True:
        mark = markers.deleting(identity, sequence_number=sequence_number, stamp=stamp())
        outcome = yield SetMarker(mark, condition)
        if isinstance(outcome, Written):
            if isinstance((yield Delete(MarkerIs(mark.stored))), Written):
                return True
            condition = Deletable(sequence_number)
            continue
        there = yield from _there(outcome, identity, markers)
        if there is None or _is_newer(there, sequence_number, may_be_marked=True):
            return False
        condition = Deletable(sequence_number) if _is_ordinary(there) else _just(there)


def _there(outcome: Outcome, identity: bytes, markers: Markers) -> Steps[Reading | None]:
    """What is in the way; asked for where the answer did not say it."""
    item = item_of(outcome)
    if item is None:
        found = yield Get()
        assert isinstance(found, Found)  # noqa: S101  # the protocol's
        item = found.item
    return markers.read(item, identity)


def _is_newer(there: Reading | None, sequence_number: int, *, may_be_marked: bool = False) -> bool:
    """Whether the item that is there is what this record, or a newer one, has made of it.

    :param may_be_marked: what this record has marked is still to be deleted
    """
    if there is None or there.marker is None:
        return False
    found = there.marker
    if found.sequence_number == sequence_number:
        return not (may_be_marked and found.kind == "del")
    return found.sequence_number > sequence_number


def _is_ordinary(there: Reading | None) -> bool:
    """Whether nothing stands in the way any more: the usual condition will do."""
    return there is None or there.stored is None or there.marker is not None


def _just(there: Reading | None) -> MarkerIs:
    """What stands there is no marker, though it may look like one: it is written over if it is still just that."""
    return MarkerIs(None if there is None else there.stored, has_item=True)
