"""In how many segments a table is read."""

from __future__ import annotations

import pytest

from processor.dynamodb import segments


@pytest.mark.parametrize(
    ("size", "count"), [(0, 16), (400 * 2**20, 100), (10 * 2**30, 256), (200 * 2**30, 400), (10 * 2**40, 2000)]
)
def test_segments(size: int, count: int) -> None:
    """By the table's size, within bounds."""
    assert segments.count(size) == count
