"""The stream's shards and their leases → what becomes of each shard. Pure.

::

    lease or records                                            state
    ----------------------------------------------------------  --------
    its checkpoint is SHARD_END                                 finished
    no lease, and all shards after it are finished              finished
    no lease, and a shard after it is begun                     finished, and lost
    its parent is not finished                                  waiting
    a daemon renews its lease                                   reading
    no lease, no owner, or an owner that does not renew         unowned

"After" a shard are its descendants. The lease of a shard that is still listed is removed only if the shard and all
after it are finished (``LeaseGate.java``). So if a listed shard has no lease and one after it is not finished, it was
not read to its end, or nobody knows (``Lineage.java`` has the same rules). So it is with any
``initialPositionInStream``: every shard is read from its oldest record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from processor.state import leases as lease_table
from processor.state.leases import Lease

State = Literal["reading", "waiting", "finished", "unowned"]
ParentState = Literal["finished", "unfinished"]


class StreamShard(msgspec.Struct, frozen=True, kw_only=True):
    """A shard by DescribeStream; an open one still gets records. ``ending`` is a closed one's last sequence number."""

    shard_id: str
    parent: str | None = None
    ending: str | None = None


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """Records after a checkpoint, of one page: how many, and the sequence numbers of the oldest and the newest of them.

    ``more``: there may be more behind them, which were not read.
    """

    count: int
    first: int | None = None
    newest: int | None = None
    more: bool = False


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a shard is behind: the age of its oldest change that is not applied, in seconds; 0 if there is none.

    None if it can't be known, and ``note`` says why; ``lost`` if that change is no longer in the stream. ``pending``:
    what is not applied, as far as it was counted.
    """

    seconds: float | None
    note: str = ""
    lost: bool = False
    pending: Pending | None = None


class ShardState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One shard's state. ``open`` is None if the stream does not list it (any more), or can't be asked.

    ``applied``: how many of its records up to the checkpoint are applied, since its lease was made, and ``filtered``:
    how many of these were left out by the settings; None if that was not counted.
    """

    shard_id: str
    state: State
    open: bool | None
    owner: str | None
    checkpoint: str | None
    parent: str | None
    parent_state: ParentState | None
    lag_seconds: float | None = None
    lost: bool = False
    finished_early: bool = False
    note: str = ""
    applied: int | None = None
    filtered: int | None = None


class Lineage:
    """Shards of the stream, or of the checkpoint table, or of both.

    :param shards: None if the stream could not be asked
    :param leases: None if there is no checkpoint table
    """

    def __init__(self, shards: Iterable[StreamShard] | None, leases: Iterable[Lease] | None) -> None:
        self._known = shards is not None
        self._shards = {shard.shard_id: shard for shard in shards or ()}
        self._leases = {lease.shard_id: lease for lease in leases or ()}
        self._parents = {lease.shard_id: lease.parents[0] for lease in self._leases.values() if lease.parents} | {
            shard.shard_id: shard.parent for shard in self._shards.values() if shard.parent
        }
        self._finished = {lease.shard_id for lease in self._leases.values() if lease.finished}
        self._children: dict[str, list[str]] = {}
        for shard_id, parent in self._parents.items():
            self._children.setdefault(parent, []).append(shard_id)
        without = {*self._shards, *self._parents.values()} - self._leases.keys()
        settled = {shard_id for shard_id in without if self._is_settled(shard_id)}
        self._of_unknown_end = {shard_id for shard_id in without - settled if self._is_begun_below(shard_id)}
        self._finished |= settled | self._of_unknown_end

    def _is_settled(self, shard_id: str) -> bool:
        """Whether all shards after it are finished. One that the stream no longer lists is not waited for."""
        children = self._children.get(shard_id, [])
        if shard_id not in self._shards:
            return bool(children)
        return bool(children) and all(
            self._leases[child].finished if child in self._leases else self._is_settled(child) for child in children
        )

    def _is_begun_below(self, shard_id: str) -> bool:
        return any(
            lease_table.begun([self._leases[child]]) if child in self._leases else self._is_begun_below(child)
            for child in self._children.get(shard_id, ())
        )

    def unfinished(self) -> dict[str, str | None]:
        """Checkpoints, by shard, of the stream's shards that may have changes left to apply."""
        return {
            shard_id: lease.checkpoint if (lease := self._leases.get(shard_id)) else None
            for shard_id in self._shards
            if shard_id not in self._finished
        }

    def states(self, *, renewing: Collection[str], lags: Mapping[str, Lag]) -> list[ShardState]:
        """Every shard, oldest first (their ids begin with the time at which they were made).

        :param renewing: owners that renew their leases
        """
        return [self._state(shard_id, renewing, lags) for shard_id in sorted({*self._shards, *self._leases})]

    def _state(self, shard_id: str, renewing: Collection[str], lags: Mapping[str, Lag]) -> ShardState:
        lease, listed = self._leases.get(shard_id), self._shards.get(shard_id)
        lag = lags.get(shard_id, Lag(seconds=None))
        state, note = self._judge(shard_id, lease, renewing)
        lost = lag.lost
        if self._known and listed is None and state != "finished":
            lost, note = True, "the stream no longer has it"
        elif shard_id in self._of_unknown_end:
            lost, note = True, "its lease was removed while shards after it were read"
        is_open = listed.ending is None if listed else None
        return ShardState(
            shard_id=shard_id,
            state=state,
            open=is_open,
            owner=lease.owner if lease else None,
            checkpoint=lease.checkpoint if lease else None,
            parent=self._parents.get(shard_id),
            parent_state=self._parent_state(shard_id),
            lag_seconds=lag.seconds,
            lost=lost,
            finished_early=bool(is_open and lease and lease.finished and not self._children.get(shard_id)),
            note="; ".join(filter(None, (note, lag.note))),
            applied=lease.applied if lease else None,
            filtered=lease.filtered if lease else None,
        )

    def _judge(self, shard_id: str, lease: Lease | None, renewing: Collection[str]) -> tuple[State, str]:
        if shard_id in self._finished:
            return "finished", ""
        if self._parent_state(shard_id) == "unfinished":
            return "waiting", ""
        if lease is None:
            return "unowned", "no lease"
        if lease.owner is None:
            return "unowned", "no owner"
        if lease.owner not in renewing:
            return "unowned", f"owner {lease.owner} does not renew"
        return "reading", ""

    def _parent_state(self, shard_id: str) -> ParentState | None:
        """The parent's state, or None if no parent is known any more: KCL does not wait for such a parent."""
        parent = self._parents.get(shard_id)
        if parent is None or (parent not in self._shards and parent not in self._leases):
            return None
        return "finished" if parent in self._finished else "unfinished"
