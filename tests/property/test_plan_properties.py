"""Rules of the plan, for any batch."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from processor.replication import plan as plan_module
from processor.replication.change import Change, bytes_of
from processor.replication.coalescing import Coalescing, every_change, last_changes, net_changes
from processor.replication.plan import MAX_BYTES_PER_CALL, MAX_ITEMS_PER_CALL, calls, plan
from tests.fakes.dynamodb.changes import delete, put

CHANGES = st.lists(
    st.builds(
        lambda key, size, gone: delete(key) if gone else put(key, "x" * size),
        st.sampled_from("abcdefgh"),
        st.integers(0, 50),
        st.booleans(),
    ),
    max_size=80,
)
COALESCINGS = st.sampled_from([every_change, last_changes, net_changes])


@given(changes=CHANGES, coalescing=COALESCINGS)
def test_no_round_has_a_key_twice(changes: list[Change], coalescing: Coalescing) -> None:
    """Writes of one round may run side by side, so its keys are distinct."""
    for writes in plan(coalescing(changes)):
        assert len(writes) == len({change.identity for change in writes})


@given(changes=CHANGES, coalescing=COALESCINGS)
def test_each_key_keeps_its_order(changes: list[Change], coalescing: Coalescing) -> None:
    """One round after the other, a key's writes are its changes in the stream's order, or the last of them alone."""
    rounds = plan(coalescing(changes))
    assert coalescing is every_change or len(rounds) <= 1
    written = list(chain.from_iterable(rounds))
    for identity in {change.identity for change in changes}:
        expected = [id(change) for change in changes if change.identity == identity]
        found = [id(change) for change in written if change.identity == identity]
        assert (expected if coalescing is every_change else expected[-1:]) == found


@given(changes=CHANGES, limit=st.integers(1, 300), items=st.integers(1, MAX_ITEMS_PER_CALL))
def test_calls_lose_and_move_nothing(changes: list[Change], limit: int, items: int) -> None:
    """Calls, one after the other, are the round; each is within both limits, or a single change that can't be."""
    plan_module.MAX_BYTES_PER_CALL = limit
    try:
        cut = list(calls(changes, max_items=items))
    finally:
        plan_module.MAX_BYTES_PER_CALL = MAX_BYTES_PER_CALL
    assert changes == list(chain.from_iterable(cut))
    for call in cut:
        assert 1 <= len(call) <= items
        assert len(call) == 1 or sum(len(bytes_of(change)) for change in call) <= limit
