"""What looks simpler than the protocol, or as good, and is not: the checker must find a counterexample for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from processor.replication.two_way.conditions import Deletable, MarkerIs, Older, Unchanged
from processor.replication.two_way.conflicts import Conflict
from processor.replication.two_way.marker import Markers, Reading
from processor.replication.two_way.origin import is_replicators
from processor.replication.two_way.requests import (
    Delete,
    Failed,
    Found,
    Get,
    GetHub,
    Keep,
    Put,
    SetMarker,
    Steps,
    Written,
)
from processor.replication.two_way.spoke_write import SpokeWrite
from processor.replication.two_way.stamp import Stamp
from processor.replication.two_way.uplink import Policy, uplink
from tests.model.memory import NAME, OTHER_IDENTITY
from tests.model.world import Play, Protocol

if TYPE_CHECKING:
    import msgspec


class _AlwaysIntact(Reading):
    """A reading that believes every marker."""

    @property
    def is_intact(self) -> bool:
        return self.marker is not None


class _WithoutDigest(Markers):
    """No digest of the item: whatever bears a new marker is the replicator's."""

    def read(self, item: msgspec.Raw | None, identity: bytes) -> Reading | None:
        found = super().read(item, identity)
        return None if found is None else _AlwaysIntact(*found)


class _WithoutKey(Markers):
    """No digest of the key: a marker that was copied from another key is this key's, too."""

    def read(self, item: msgspec.Raw | None, identity: bytes) -> Reading | None:
        found = super().read(item, identity)
        return super().read(item, OTHER_IDENTITY) if found is not None and found.marker is None else found


def _put_whatever_is_there(
    image: msgspec.Raw, identity: bytes, sequence_number: int, *, markers: Markers, stamp: Callable[[], Stamp]
) -> Steps[bool]:
    yield Put(markers.put(image, identity, sequence_number=sequence_number, stamp=stamp()), Older(10**30))
    return True


def _put_or_give_up(
    image: msgspec.Raw, identity: bytes, sequence_number: int, *, markers: Markers, stamp: Callable[[], Stamp]
) -> Steps[bool]:
    item = markers.put(image, identity, sequence_number=sequence_number, stamp=stamp())
    return isinstance((yield Put(item, Older(sequence_number))), Written)


def delete_unmarked(
    identity: bytes,  # noqa: ARG001  # the protocol's
    sequence_number: int,
    *,
    markers: Markers,  # noqa: ARG001  # the same
    stamp: Callable[[], Stamp],  # noqa: ARG001  # the same
) -> Steps[bool]:
    """Delete what is there at once, as a replication in one direction does."""
    return isinstance((yield Delete(Older(sequence_number))), Written)


def _delete_what_is_marked_somehow(
    identity: bytes, sequence_number: int, *, markers: Markers, stamp: Callable[[], Stamp]
) -> Steps[bool]:
    """Marks, then deletes whatever is there by then."""
    mark = markers.deleting(identity, sequence_number=sequence_number, stamp=stamp())
    if isinstance((yield SetMarker(mark, Deletable(sequence_number))), Failed):
        return False
    yield Delete(Older(10**30))
    return True


def _uplink_without_looking(writes: Sequence[SpokeWrite], *, markers: Markers, policy: Policy) -> Steps[str]:  # noqa: ARG001  # the protocol's
    found = yield Get()
    assert isinstance(found, Found)
    condition = Unchanged(found.item)
    new = writes[-1].new
    yield Delete(condition) if new is None else Put(new, condition)
    return "written"


def _uplink_of_ends(writes: Sequence[SpokeWrite], *, markers: Markers, policy: Policy) -> Steps[str]:
    """Takes a chain for one write, as if the hub could not be in the midst of it."""
    old, before = writes[0].old, writes[0].before
    return uplink([structs.replace(writes[-1], old=old, before=before)], markers=markers, policy=policy)


def _uplink_of_the_last(writes: Sequence[SpokeWrite], *, markers: Markers, policy: Policy) -> Steps[str]:
    """Leaves out all but the last write of a chain, as the mirror does."""
    return uplink(writes[-1:], markers=markers, policy=policy)


def _uplink_keeps_late(writes: Sequence[SpokeWrite], *, markers: Markers, policy: Policy) -> Steps[str]:
    """Writes a conflict's winner before the conflict is kept."""
    (write,) = writes
    while True:
        found = yield Get()
        assert isinstance(found, Found)
        hub, before, after = map(markers.content, (found.item, write.old, write.new))
        if hub == after:
            return "nothing to do"
        conflict = Conflict(
            outcome=policy,
            spoke_image=write.new,
            spoke_old_image=write.old,
            hub_image=found.item,
            hub_sequence_number=None,
            mirrored_ms=None,
            sequence_number=write.sequence_number,
            created_ms=write.created_ms,
        )
        if hub != before and policy == "hubWins":
            yield Keep(conflict)
            return "conflict"
        condition = Unchanged(found.item)
        if isinstance((yield Delete(condition) if write.new is None else Put(write.new, condition)), Written):
            if hub != before:
                yield Keep(conflict)
            return "written"


def _restore_looks_once(identity: bytes, *, markers: Markers, stamp: Callable[[], Stamp]) -> Steps[str]:
    """Does not read the hub again after its write."""
    while True:
        spoke, hub = (yield Get()), (yield GetHub())
        assert isinstance(spoke, Found)
        assert isinstance(hub, Found)
        here = markers.read(spoke.item, identity)
        if hub.item is None or markers.content(hub.item) == markers.content(spoke.item):
            return "moot"
        item = markers.copied(hub.item, identity, over=here, stamp=stamp())
        if isinstance((yield Put(item, MarkerIs(None if here is None else here.stored))), Written):
            return "put"


def _restore_unmarked(identity: bytes, *, markers: Markers, stamp: Callable[[], Stamp]) -> Steps[str]:  # noqa: ARG001
    """Writes the hub's item as it is, and so takes the marker away."""
    while True:
        spoke, hub = (yield Get()), (yield GetHub())
        assert isinstance(spoke, Found)
        assert isinstance(hub, Found)
        if hub.item is None or markers.content(hub.item) == markers.content(spoke.item):
            return "moot"
        yield Put(hub.item, Unchanged(spoke.item))
        again = yield GetHub()
        assert isinstance(again, Found)
        if markers.content(again.item) == markers.content(hub.item):
            return "put"


def _whatever_is_marked(old: Reading | None, new: Reading | None, **when: Any) -> bool:
    """Takes every new marker for the replicator's, though it be older than the one before."""
    if old is not None and new is not None and new.marker is not None and old.marker != new.marker:
        return new.is_intact
    return is_replicators(old, new, **when)


SHORTCUTS: dict[str, Play] = {
    "echoes are not mirrored": Play(hub=1, spoke=2, policy="lastArrival", protocol=Protocol(mirrors_echoes=False)),
    "deletes are not marked": Play(hub=3, spoke=0, returning=True, protocol=Protocol(mirror_delete=delete_unmarked)),
    "what was marked is deleted, whatever it is by then": Play(
        hub=3, spoke=1, returning=True, protocol=Protocol(mirror_delete=_delete_what_is_marked_somehow)
    ),
    "no digest of the item": Play(
        hub=1, spoke=2, crashes=1, stale=True, protocol=Protocol(markers=_WithoutDigest(NAME))
    ),
    "no digest of the key": Play(hub=2, spoke=1, foreign=True, protocol=Protocol(markers=_WithoutKey(NAME))),
    "the mirror gives up where a marker that is none is in its way": Play(
        hub=2, spoke=1, foreign=True, protocol=Protocol(mirror_put=_put_or_give_up)
    ),
    "the mirror's puts are not conditional": Play(
        hub=2, spoke=1, crashes=1, protocol=Protocol(mirror_put=_put_whatever_is_there)
    ),
    "the uplink does not compare": Play(hub=2, spoke=1, protocol=Protocol(uplink=_uplink_without_looking)),
    "the uplink takes what follows as one, and does not know what is in the midst of it": Play(
        hub=0, spoke=2, chains=True, crashes=1, protocol=Protocol(uplink=_uplink_of_ends)
    ),
    "of what follows, the uplink applies the last one only": Play(
        hub=0, spoke=2, chains=True, protocol=Protocol(uplink=_uplink_of_the_last)
    ),
    "the uplink takes as one what does not follow": Play(
        hub=2,
        spoke=2,
        chains=True,
        protocol=Protocol(follows=lambda later, earlier: True),  # noqa: ARG005
    ),
    "a conflict is kept after its winner is written": Play(
        hub=1, spoke=1, crashes=1, policy="lastArrival", protocol=Protocol(uplink=_uplink_keeps_late)
    ),
    "an older marker is the replicator's, too": Play(
        hub=2, spoke=1, put_back=True, protocol=Protocol(is_replicators=_whatever_is_marked)
    ),
    "a repair reads the hub once": Play(hub=2, spoke=0, restores=1, protocol=Protocol(restore=_restore_looks_once)),
    "a copy writes no markers": Play(hub=2, spoke=0, restores=1, protocol=Protocol(restore=_restore_unmarked)),
    # No shortcut, but what the protocol can't promise: within the window nobody can tell the two apart.
    "an item that was deleted is put back within the window, marker and all": Play(hub=1, spoke=2, put_back=True),
}
