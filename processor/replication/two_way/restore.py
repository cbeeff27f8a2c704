"""One key of the spoke, brought to what the hub has, beside mirror and uplink: for copy, repair, redrive. Pure.

It is ``reconcile.py``'s loop, with markers. Why it does no harm beside a mirror, at any point::

          read spoke      read hub       write on condition        read hub again:
                                         "the marker is as read"   the same, or do all of it again
     ──────────┼──────────────┼─────────────────┼────────────────────────┼──────▶
     the mirror writes here:  or here:          or here: it is newer than the number that stays in the marker,
     it was read              the condition fails        so the mirror's condition holds, whatever we wrote

The hub's item is at least as new as the spoke's marker says, for it is read later. The number in the marker stays, so
each record since is applied over ours. Without the last read a hub's delete is lost: the mirror finds nothing to
delete, then our write brings the item back. Whoever stops between the write and that read has to do the key again.

An application's write at the spoke that has not gone up yet is written over. It is still in the spoke's stream, so the
uplink brings it to the hub, or keeps it as a conflict, and the mirror brings what has come of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from processor.errors import UnsettledError
from processor.replication.two_way.conditions import MarkerIs
from processor.replication.two_way.marker import Markers, Reading, following
from processor.replication.two_way.requests import Delete, Found, Get, GetHub, Outcome, Put, SetMarker, Steps, Written
from processor.replication.two_way.stamp import Stamp

if TYPE_CHECKING:
    import msgspec

# Somebody would have to write the key between two requests a few milliseconds apart, this many times in a row.
MAX_ROUNDS = 50

Restored = Literal["put", "delete", "moot"]


def restore(identity: bytes, *, markers: Markers, stamp: Callable[[], Stamp]) -> Steps[Restored]:
    """Make the spoke's item the hub's.

    ``Get`` is of the spoke, ``GetHub`` of the hub, all writes are at the spoke.

    :returns: what was done, when the hub has not changed since what was written, or was found there, was read from it
    :raises UnsettledError: somebody has written the key each time
    :raises MalformedItemError: what is there is no DynamoDB JSON
    """
    done: Restored = "moot"
    for _ in range(MAX_ROUNDS):
        here = markers.read(_item((yield Get())), identity)
        hub = _item((yield GetHub()))
        if markers.content(hub) == (None if here is None else here.content):
            return done
        is_written = yield from (
            _delete(here, identity, markers, stamp) if hub is None else _put(hub, here, identity, markers, stamp)
        )
        if not is_written:
            continue
        done = "delete" if hub is None else "put"
        if markers.content(_item((yield GetHub()))) == markers.content(hub):
            return done
    message = (
        f"A key was written on one of the two sides each of the {MAX_ROUNDS} times that the hub's item was to be "
        "written at the spoke, which may have an older one now. Do it again when the key changes less often."
    )
    raise UnsettledError(message)


def _put(
    hub: msgspec.Raw, here: Reading | None, identity: bytes, markers: Markers, stamp: Callable[[], Stamp]
) -> Steps[bool]:
    item = markers.copied(hub, identity, over=here, stamp=stamp())
    outcome = yield Put(item, MarkerIs(None if here is None else here.stored))
    return isinstance(outcome, Written)


def _delete(here: Reading | None, identity: bytes, markers: Markers, stamp: Callable[[], Stamp]) -> Steps[bool]:
    number, later = following(here, stamp())
    mark = markers.deleting(identity, sequence_number=number, stamp=later)
    outcome = yield SetMarker(mark, MarkerIs(None if here is None else here.stored, has_item=True))
    if not isinstance(outcome, Written):
        return False
    return isinstance((yield Delete(MarkerIs(mark.stored))), Written)


def _item(outcome: Outcome) -> msgspec.Raw | None:
    assert isinstance(outcome, Found)  # noqa: S101  # the protocol's
    return outcome.item
