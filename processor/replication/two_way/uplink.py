"""The uplink: what an application has written at the spoke, applied at the hub. Pure; see ``requests.py``.

The replicator's own writes are passed over before (``origin.py``). Of an application's, both images are known, and the
hub is read:

=============================  =======================================================================================
the hub's item is              what happens
=============================  =======================================================================================
as the new image               nothing
as the old image               the new one is written, without the marker, on condition that the item is what was read
neither, ``hubWins``           a conflict: it is kept, and the hub stays as it is; the mirror has more for this key
neither, ``lastArrival``       a conflict: it is kept, and the new image is written, on the same condition
=============================  =======================================================================================

A condition that fails means that the hub has changed since it was read, so all begins anew. Why a conflict's loser at
the spoke goes away: the hub differs from what the spoke's application has seen, so the hub has a record that was not at
the spoke then, and the mirror applies it after that application's write.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from processor.replication.two_way.conditions import Unchanged
from processor.replication.two_way.conflicts import Conflict, Verdict
from processor.replication.two_way.marker import Markers, Reading, number_text
from processor.replication.two_way.requests import Delete, Found, Get, Keep, Put, Steps, Written

Policy = Literal["hubWins", "lastArrival"]
# conflict: nothing is written, for the hub wins.
Ending = Literal["written", "nothing to do", "conflict"]


class SpokeWrite(msgspec.Struct, frozen=True, kw_only=True):
    """An application's write at the spoke: images without markers, as DynamoDB JSON; None for no item.

    ``hub_sequence_number`` is the newest record of the hub that the item had before, and ``mirrored_ms`` its marker's
    time; None where it had no marker.
    """

    old: msgspec.Raw | None
    new: msgspec.Raw | None
    hub_sequence_number: str | None = None
    mirrored_ms: int | None = None


def spoke_write(
    old: msgspec.Raw | None, new: msgspec.Raw | None, before: Reading | None, *, markers: Markers
) -> SpokeWrite:
    """An application's write, from its record.

    :param old: the record's old image; None for no item
    :param new: its new image; None for a removal
    :param before: ``old``, read
    """
    marker = None if before is None else before.marker
    return SpokeWrite(
        old=None if old is None else markers.without(old),
        new=None if new is None else markers.without(new),
        hub_sequence_number=None if marker is None else number_text(marker.sequence_number).lstrip("0") or "0",
        mirrored_ms=None if marker is None else marker.written_ms,
    )


def uplink(write: SpokeWrite, *, markers: Markers, policy: Policy) -> Steps[Ending]:
    """Write it at the hub, or don't.

    :raises MalformedItemError: what is there is no DynamoDB JSON
    """
    before, after = markers.content(write.old), markers.content(write.new)
    while True:
        found = yield Get()
        assert isinstance(found, Found)  # noqa: S101  # the protocol's
        hub = markers.content(found.item)
        if hub == after:
            return "nothing to do"
        if hub != before:
            yield Keep(_conflict(write, found.item, policy, markers))
            if policy == "hubWins":
                return "conflict"
        condition = Unchanged(found.item)
        outcome = yield Delete(condition) if write.new is None else Put(write.new, condition)
        if isinstance(outcome, Written):
            if markers.content(outcome.before) != hub:
                yield Keep(_conflict(write, outcome.before, "hubOverwritten", markers))
            return "written"


def _conflict(write: SpokeWrite, hub: msgspec.Raw | None, outcome: Verdict, markers: Markers) -> Conflict:
    return Conflict(
        outcome=outcome,
        spoke_image=write.new,
        spoke_old_image=write.old,
        hub_image=None if hub is None else markers.without(hub),
        hub_sequence_number=write.hub_sequence_number,
        mirrored_ms=write.mirrored_ms,
    )
