"""Waits between tries, and what is said meanwhile."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from processor import logs
from processor.logs import Log
from processor.retry import Backoff, Outage


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged."""
    stream = io.StringIO()
    with logs_to(stream):
        yield stream


logs_to = pytest.MonkeyPatch.context  # replaced below: logs.configure has no undo of its own


def test_backoff_doubles_up_to_its_bound() -> None:
    """The bound of the n-th wait doubles from ``first`` to ``most``, starts anew after a success, and never overflows."""
    bounds: list[float] = []

    def uniform(low: float, high: float) -> float:
        assert low == 0
        bounds.append(high)
        return high

    backoff = Backoff(first_seconds=1, most_seconds=5, uniform=uniform)
    assert [1, 2, 4, 5, 5] == [backoff.next_seconds() for _ in range(5)]
    assert [5.0] * 2000 == [backoff.next_seconds() for _ in range(2000)]
    backoff.reset()
    assert backoff.next_seconds() == 1
