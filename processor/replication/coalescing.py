"""Coalescing: which of the changes that a batch has of one key are written. Pure.

Two-way's uplink has a way of its own, ``two_way/chains.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from processor.replication.change import Change

# Takes changes in the stream's order, each of which asks for a write, and leaves each key's in their order.
Coalescing = Callable[[Sequence[Change]], Sequence[Change]]


def every_change(changes: Sequence[Change]) -> Sequence[Change]:
    """All of them: nothing is coalesced."""
    return changes


def last_changes(changes: Sequence[Change]) -> Sequence[Change]:
    """Each key's last one."""
    return list({change.identity: change for change in changes}.values())


def net_changes(changes: Sequence[Change]) -> Sequence[Change]:
    """Each key's last one; a MODIFY is called an INSERT if its key was inserted by one of those left out.

    For fenced writes, which ask a MODIFY's key to be there.
    """
    inserted = {change.identity for change in changes if change.event_name == "INSERT"}
    return [
        msgspec.structs.replace(change, event_name="INSERT")
        if change.event_name == "MODIFY" and change.identity in inserted
        else change
        for change in last_changes(changes)
    ]
