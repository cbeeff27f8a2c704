"""In how many segments a table is read where processes on any machines share them. Pure."""

from __future__ import annotations

import math

_SEGMENT_BYTES = 512 * 1024 * 1024
# Of a smaller table: some pages each, for the threads of several machines to end at about the same time.
_SMALL_SEGMENT_BYTES = 4 * 1024 * 1024
_MOST_SMALL_SEGMENTS = 256
_FEWEST_SEGMENTS = 16
_MOST_SEGMENTS = 2000


def count(size_bytes: int) -> int:
    """Few enough for a row of each to cost nothing, enough for all threads of all machines to end together.

    :param size_bytes: DescribeTable's ``TableSizeBytes``
    """
    small = min(math.ceil(size_bytes / _SMALL_SEGMENT_BYTES), _MOST_SMALL_SEGMENTS)
    return min(max(math.ceil(size_bytes / _SEGMENT_BYTES), small, _FEWEST_SEGMENTS), _MOST_SEGMENTS)
