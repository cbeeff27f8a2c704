"""Chains: an application's writes of one key that follow each other in a batch go to the hub as one. Pure.

A write follows another one if it was made over just what that one had written, whatever the mirror has done between
them; so a write over what the mirror had brought begins a chain of its own::

    spoke:     A ──▶ B ──▶ C    (the mirror brings H)    H ──▶ D
    chains:    A ────────▶ C                             H ──▶ D

What that saves are the states in between, above all after a crash: what had come and gone at the spoke, and what was
written several times, is then not written again. ``uplink.py`` says why it is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from processor.replication.change import Change


def chained(changes: Sequence[Change]) -> list[Change]:
    """Make one change of each chain: its last, with the writes of all of it.

    :param changes: applications' writes at the spoke, as ``spoke_record.seen_by_uplink`` returns them, in the stream's
        order
    :returns: changes in an order in which each key keeps its own
    """
    chains: list[list[Change]] = []
    of_key: dict[bytes, list[Change]] = {}
    for change in changes:
        chain = of_key.get(change.identity)
        if chain is None or not change.spoke_writes[0].follows(chain[-1].spoke_writes[-1]):
            chain = of_key[change.identity] = []
            chains.append(chain)
        chain.append(change)
    return [_joined(chain) for chain in chains]


def _joined(chain: Sequence[Change]) -> Change:
    if len(chain) == 1:
        return chain[0]
    writes = tuple(write for change in chain for write in change.spoke_writes)
    return msgspec.structs.replace(chain[-1], spoke_writes=writes)
