"""The stream's shards and their leases → what becomes of each shard. Pure.

::

    lease or records                                            state
    ----------------------------------------------------------  --------
    its checkpoint is SHARD_END, or a descendant has a lease    finished
    its parent is not finished                                  waiting
    a daemon renews its lease                                   reading
    no lease, no owner, or an owner that does not renew         unowned

A shard of whose descendants one has a lease was read to its end: the adapter removes leases of finished shards after
six hours, while the stream has them for a day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from processor.leases import Lease

State = Literal["reading", "waiting", "finished", "unowned"]
ParentState = Literal["finished", "unfinished"]


class StreamShard(msgspec.Struct, frozen=True, kw_only=True):
    """A shard as DescribeStream has it; an open one still takes records. ``ending`` is a closed one's last number."""

    shard_id: str
    parent: str | None = None
    ending: str | None = None


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a shard is behind: the age of its oldest change that is not applied, in seconds; 0 where there is none.

    None where it can't be known, and ``note`` says why; ``lost`` where that change is no longer in the stream.
    """

    seconds: float | None
    note: str = ""
    lost: bool = False


class Shard(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One shard's state. ``open`` is None where the stream does not list it (any more), or can't be asked."""

    shard_id: str
    state: State
    open: bool | None
    owner: str | None
    checkpoint: str | None
    parent: str | None
    parent_state: ParentState | None
    lag_seconds: float | None = None
    lost: bool = False
    note: str = ""


class Lineage:
    """Shards of the stream, or of the checkpoint table, or of both.

    :param shards: None where the stream could not be asked
    :param leases: None where there is no checkpoint table
    """

    def __init__(self, shards: Iterable[StreamShard] | None, leases: Iterable[Lease] | None) -> None:
        self._known = shards is not None
        self._shards = {shard.shard_id: shard for shard in shards or ()}
        self._leases = {lease.shard_id: lease for lease in leases or ()}
        self._parents = {lease.shard_id: lease.parents[0] for lease in self._leases.values() if lease.parents} | {
            shard.shard_id: shard.parent for shard in self._shards.values() if shard.parent
        }
        self._finished = {lease.shard_id for lease in self._leases.values() if lease.finished}
        self._finished |= self._read_before()

    def _read_before(self) -> set[str]:
        """Shards without a lease of their own that have a descendant with one."""
        passed: set[str] = set()
        for shard_id in self._leases:
            ancestor = self._parents.get(shard_id)
            while ancestor is not None and ancestor not in passed:
                passed.add(ancestor)
                ancestor = self._parents.get(ancestor)
        return passed - self._leases.keys()

    def unfinished(self) -> dict[str, str | None]:
        """Checkpoints, by shard, of those in the stream of which something may be left to apply."""
        return {
            shard_id: lease.checkpoint if (lease := self._leases.get(shard_id)) else None
            for shard_id in self._shards
            if shard_id not in self._finished
        }

    def states(self, *, renewing: Collection[str], lags: Mapping[str, Lag]) -> list[Shard]:
        """Every shard, oldest first (their ids begin with the time at which they were made).

        :param renewing: owners that renew their leases
        """
        return [self._state(shard_id, renewing, lags) for shard_id in sorted({*self._shards, *self._leases})]

    def _state(self, shard_id: str, renewing: Collection[str], lags: Mapping[str, Lag]) -> Shard:
        lease, listed = self._leases.get(shard_id), self._shards.get(shard_id)
        lag = lags.get(shard_id, Lag(seconds=None))
        state, note = self._judge(shard_id, lease, renewing)
        lost = lag.lost
        if self._known and listed is None and state != "finished":
            lost, note = True, "the stream no longer has it"
        return Shard(
            shard_id=shard_id,
            state=state,
            open=listed.ending is None if listed else None,
            owner=lease.owner if lease else None,
            checkpoint=lease.checkpoint if lease else None,
            parent=self._parents.get(shard_id),
            parent_state=self._parent_state(shard_id),
            lag_seconds=lag.seconds,
            lost=lost,
            note="; ".join(filter(None, (note, lag.note))),
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
        """None for a shard without a parent that is known of any more: KCL waits for none such."""
        parent = self._parents.get(shard_id)
        if parent is None or (parent not in self._shards and parent not in self._leases):
            return None
        return "finished" if parent in self._finished else "unfinished"
