"""Which of a batch's changes are written."""

from __future__ import annotations

from typing import Any

import pytest

from processor.replication.coalescing import every_change, last_changes, net_changes
from tests.fakes.dynamodb.changes import decode, delete, put
from tests.fakes.streams.stream_record import insert

CHANGES = [put("a", 1), put("b", 1), delete("a"), put("b", 2)]
NEW: Any = {"id": {"S": "a"}, "value": {"S": "new"}}


def test_every_change_is_written() -> None:
    """Where nothing is coalesced."""
    assert every_change(CHANGES) == CHANGES


def test_each_key_is_written_once() -> None:
    """With its last change."""
    assert last_changes(CHANGES) == CHANGES[2:] == net_changes(CHANGES)


@pytest.mark.parametrize("before", [(), (delete("a"),), (put("a", 0), delete("a"))])
def test_what_is_new_in_a_batch_is_an_insert_whatever_follows(before: tuple[Any, ...]) -> None:
    """So a fenced write of it doesn't ask for an item to be there; the change is its last one in all else."""
    inserted, changed = decode(insert(1, NEW).data), put("a", 2, number=2)
    (found,) = net_changes([*before, inserted, changed])
    assert (found.event_name, found.image, found.sequence_number) == ("INSERT", changed.image, changed.sequence_number)
    assert [changed] == net_changes([*before, changed])
    assert net_changes([inserted, changed, removed := delete("a")]) == [removed]
