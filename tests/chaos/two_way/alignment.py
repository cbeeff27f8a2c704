"""Whose each record of a key is: its stream, held against what an application says that it has written.

An application's writes of a key and the replicator's are in the stream in their own orders, interleaved somehow::

    records        nothing→a   a→b        b→c        c→b
    application    nothing→a              b→c
    the rest                   a→b                   c→b      each must be a write that the replicator may make

Where two ways are possible (the same change made twice), one of them is taken that explains all records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.chaos.two_way.application import Wrote
from tests.chaos.two_way.images import shown
from tests.chaos.two_way.sides import Record


class Alignment(NamedTuple):
    """For each record the application's write, None for a write of the replicator's; ``problem`` if there is no way."""

    whose: list[Wrote | None]
    problem: str = ""


def align(records: Sequence[Record], wrote: Sequence[Wrote], may_be_others: Callable[[Record], bool]) -> Alignment:
    """Find a way.

    :param records: of one key, in order
    :param wrote: the application's writes of it that changed anything, in order
    :param may_be_others: whether the replicator may have made a record
    """
    # After each record: how many of the application's writes may be among those so far -> how many before it.
    reached: list[dict[int, int]] = [{0: 0}]
    for record in records:
        is_others = may_be_others(record)
        following: dict[int, int] = {}
        for count in sorted(reached[-1]):
            if count < len(wrote) and (wrote[count].old, wrote[count].new) == (record.old, record.new):
                following.setdefault(count + 1, count)
            if is_others:
                following.setdefault(count, count)
        if not following:
            return Alignment([], f"{described(record)} was made by nobody who may have made it")
        reached.append(following)
    if len(wrote) not in reached[-1]:
        missing = wrote[max(reached[-1])]
        return Alignment([], f"write {missing.number} ({shown(missing.new)}), which was acknowledged, left no record")
    whose: list[Wrote | None] = []
    count = len(wrote)
    for following in reversed(reached[1:]):
        before = following[count]
        whose.append(wrote[before] if before < count else None)
        count = before
    return Alignment(whose[::-1])


def described(record: Record) -> str:
    """For people."""
    return f"record {record.sequence} ({shown(record.old)} -> {shown(record.new)})"
