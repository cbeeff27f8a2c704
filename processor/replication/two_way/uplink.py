"""The uplink: what an application has written at the spoke, applied at the hub. Pure; see ``requests.py``.

The replicator's own writes are passed over before (``origin.py``). Of an application's, both images are known, and the
hub is read:

=============================  =======================================================================================
the hub's item is              what happens
=============================  =======================================================================================
as the new image               nothing
as the old image               the new one is written, without the marker, on condition that the item is what was read
past its TTL, and the old one  the same: at the spoke TTL has deleted that item already, for DynamoDB deletes it within
is no item                     days, in each table by itself. So who puts its key anew at the spoke meets no conflict
neither, ``hubWins``           a conflict: it is kept, and the hub stays as it is; the mirror has more for this key
neither, ``lastArrival``       a conflict: it is kept, and the new image is written, on the same condition
=============================  =======================================================================================

That the hub has no item is believed of a write alone: of the one that follows, or else of a delete on condition that
there is none. A condition that fails means that the hub has changed since it was read, so all begins anew. Why a
conflict's loser at the spoke goes away: the hub differs from what the spoke's application has seen, so the hub has a
record that was not at the spoke then, and the mirror applies it after that application's write.

Writes of one key that follow each other (``chains.py``) are applied as one. The hub may be at any place of such a
chain, for a crash may have come in the midst of it. So "the old image" is that of any write of the chain, and the new
image that of the last::

    spoke:   A ─────▶ B ─────▶ C          the hub has   A, or B      C         anything else
               write 1  write 2           then          C            nothing   a conflict

That ends as the writes one by one do, if nobody writes at the hub meanwhile, and the condition sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from processor.replication.two_way.conditions import Unchanged
from processor.replication.two_way.conflicts import Conflict, Verdict
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.requests import Delete, Found, Get, Keep, Put, Steps, Written, item_of
from processor.replication.two_way.spoke_write import SpokeWrite

if TYPE_CHECKING:
    import msgspec

Policy = Literal["hubWins", "lastArrival"]
# conflict: nothing is written, for the hub wins.
Ending = Literal["written", "nothing to do", "conflict"]


def uplink(
    writes: Sequence[SpokeWrite],
    *,
    markers: Markers,
    policy: Policy,
    is_expired: Callable[[msgspec.Raw], bool] = lambda _: False,
) -> Steps[Ending]:
    """Write what a chain of writes has made of the item at the hub, or don't.

    :param writes: one, or several of one key, each over what the one before it has written
    :param is_expired: whether TTL may delete an item of the hub's at any moment; what it raises ends the steps
    :raises MalformedItemError: what is there is no DynamoDB JSON
    """
    last = writes[-1]
    seen = {write.before for write in writes}
    while True:
        found = yield Get()
        assert isinstance(found, Found)  # noqa: S101  # the protocol's
        item = found.item
        if item is None and (last.new is None or None not in seen):
            # Wrong answers to that read would end it, a delete or as a conflict. This one removes nothing.
            outcome = yield Delete(Unchanged(None))
            item = item_of(outcome)
            if item is None and not isinstance(outcome, Written):
                continue
        hub = markers.content(item)
        if hub == last.after:
            return "nothing to do"
        if hub not in seen and not (None in seen and item is not None and is_expired(item)):
            # By hubWins each write is lost; by lastArrival what the hub has, which the last one's entry has.
            for write in writes if policy == "hubWins" else writes[-1:]:
                yield Keep(_conflict(write, item, policy, markers))
            if policy == "hubWins":
                return "conflict"
        condition = Unchanged(item)
        outcome = yield Delete(condition) if last.new is None else Put(last.new, condition)
        if isinstance(outcome, Written):
            if not _is_same(outcome.before, item) and markers.content(outcome.before) != hub:
                yield Keep(_conflict(last, outcome.before, "hubOverwritten", markers))
            return "written"


def _is_same(one: msgspec.Raw | None, other: msgspec.Raw | None) -> bool:
    """Whether both are the same bytes, as nearly all answers about one item are."""
    return one is other if one is None or other is None else bytes(one) == bytes(other)


def _conflict(write: SpokeWrite, hub: msgspec.Raw | None, outcome: Verdict, markers: Markers) -> Conflict:
    return Conflict(
        outcome=outcome,
        spoke_image=write.new,
        spoke_old_image=write.old,
        hub_image=None if hub is None else markers.without(hub),
        hub_sequence_number=write.hub_sequence_number,
        mirrored_ms=write.mirrored_ms,
        sequence_number=write.sequence_number,
        created_ms=write.created_ms,
    )
