"""What is left of a copy, by the rows of its segments."""

from __future__ import annotations

from processor.state.copy_rows import CopyState, SegmentRow, SegmentState
from processor.state.sharing.work_queue import Standing


def standing(copy: CopyState, rows: list[SegmentRow]) -> Standing[SegmentState]:
    """How a copy stands.

    :param rows: of all segments, of any copy
    """
    stored = {row.number: row for row in rows}
    left: dict[int, SegmentState] = {}
    for number in {*range(copy.segments), *stored}:
        row = stored.get(number) or SegmentRow(number=number, holder="", copy_id="", state=None)
        if (state := row.left_of(copy)) is not None:
            left[number] = state
    return Standing(left, {number: stored[number].holder for number in left if number in stored})
