"""Changes of a batch → rounds and calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.replication import plan as plan_module
from processor.replication.plan import calls, plan
from tests.fakes.dynamodb.changes import delete, put

if TYPE_CHECKING:
    import pytest


def test_every_change_has_its_round() -> None:
    """The n-th change of a key stands in the n-th round."""
    changes = [put("a", 1), put("b", 1), delete("a"), put("a", 3)]
    assert [[changes[0], changes[1]], [changes[2]], [changes[3]]] == plan(changes)


def test_nothing_makes_no_round() -> None:
    """An empty batch asks for no write."""
    assert plan([]) == []


def test_a_call_has_at_most_25_changes() -> None:
    """A round is cut at BatchWriteItem's limit, and nothing of it is lost or moved."""
    writes = [put(str(i)) for i in range(51)]
    assert [writes[:25], writes[25:50], writes[50:]] == list(calls(writes))


def test_a_call_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call ends before it passes the limit in bytes; a change that alone passes it has a call of its own."""
    writes = [put("a", "x" * 10), put("b", "x" * 10), put("c", "x" * 500), delete("d")]
    monkeypatch.setattr(plan_module, "MAX_BYTES_PER_CALL", 150)
    assert [writes[:2], [writes[2]], [writes[3]]] == list(calls(writes))
