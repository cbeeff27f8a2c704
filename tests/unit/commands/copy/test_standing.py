"""What is left of a copy, and which of it is free."""

from __future__ import annotations

import msgspec

from processor.commands.copy.standing import standing
from processor.state.copy_rows import CopyState, SegmentRow, SegmentState

COPY = CopyState(id="1", segments=5, started_ms=5, stream_arn="arn", members={})
IN_HAND = [msgspec.Raw(b'{"id":{"S":"a"}}')]


def _row(number: int, holder: str, *, copy_id: str = "1", done: bool = False, in_hand: bool = False) -> SegmentRow:
    state = SegmentState(number=number, done=done, in_hand=IN_HAND if in_hand else [])
    return SegmentRow(number=number, holder=holder, copy_id=copy_id, state=state)


def _first(segment: SegmentState) -> bool:
    return bool(segment.in_hand)


def test_what_the_living_hold_is_not_free() -> None:
    """What is done is not left; what the dead held, or nobody has begun, is free; what has keys in hand is first."""
    rows = [
        _row(0, "living", done=True),
        _row(1, "living"),
        _row(2, "dead", in_hand=True),
        SegmentRow(number=3, holder="living", copy_id="", state=None),  # taken, and nothing stored yet
        _row(7, "earlier", copy_id="0", in_hand=True),
        _row(8, "earlier", copy_id="0"),
    ]
    found = standing(COPY, rows)
    assert found.left.keys() == {1, 2, 3, 4, 7}
    for _ in range(10):  # the order is by chance otherwise
        free = found.free({"living", "another"}, first=_first)
        assert set(free) == {(2, "dead"), (4, ""), (7, "earlier")}
        assert free[-1].number == 4
    assert {each.number for each in found.free(set())} == {1, 2, 3, 4, 7}


def test_nothing_is_left_when_each_segment_says_so() -> None:
    """A row that is missing says nothing."""
    rows = [_row(number, "dead", done=True) for number in range(5)]
    assert standing(COPY, rows).left == {}
    assert standing(COPY, rows[1:]).left.keys() == {0}
    assert standing(msgspec.structs.replace(COPY, id="2"), rows).left.keys() == set(range(5))
