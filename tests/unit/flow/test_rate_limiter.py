"""Units a second, with a clock of the test's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from processor.flow import rate_limiter as capacity
from processor.flow.rate_limiter import Capacity
from tests.fakes.clock import Clock


class Waiter(Clock):
    """Waiting is what makes it go; satisfies ``threading.Event`` as far as it is asked for."""

    def wait(self, seconds: float) -> bool:
        """Let so much time pass."""
        self.now += seconds
        return False


def _capacity(rate: float | None) -> tuple[Capacity, Waiter]:
    clock = Waiter(0.0)
    stop: threading.Event = clock  # type: ignore[assignment]
    return Capacity(rate, stop=stop, clock=clock), clock


def test_the_limit_is_what_is_consumed() -> None:
    """Calls that cost several seconds' worth each are paid off before the next; estimates are given back."""
    capacity, clock = _capacity(10.0)
    for _ in range(20):
        with capacity.reserve(1.0):
            capacity.consume(25.0)
    assert capacity.consumed == 500.0
    assert 47.0 <= clock.now <= 48.0  # the last is not paid off yet


def test_no_more_than_a_second_is_saved() -> None:
    """A long pause allows no long burst."""
    capacity, clock = _capacity(10.0)
    clock.now = 1000.0
    for _ in range(10):
        with capacity.reserve(1.0):
            capacity.consume(10.0)
    assert 1007.9 <= clock.now <= 1009.0


def test_calls_in_flight_count() -> None:
    """What is under way is not granted to others, whatever it will have consumed."""
    capacity, clock = _capacity(10.0)
    with capacity.reserve(30.0):
        assert clock.now == 0.0
        with capacity.reserve(1.0):
            assert clock.now == 3.0


def test_without_a_limit_it_only_counts() -> None:
    """By any number of threads."""
    capacity, clock = _capacity(None)

    def consume(_: int) -> None:
        with capacity.reserve(1e9):
            capacity.consume(1.0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(consume, range(1000)))
    assert (capacity.consumed, clock.now) == (1000.0, 0.0)


def test_a_stop_ends_the_waiting() -> None:
    """Whoever waits looks at the stop afterwards."""
    stop = threading.Event()
    capacity = Capacity(1.0, stop=stop)
    capacity.consume(3600.0)
    stop.set()
    with capacity.reserve(1.0):
        assert stop.is_set()


def test_what_answers_do_not_say_is_estimated_and_said_once() -> None:
    """Sizes as DynamoDB counts them hold the limit, where there is one; whoever gave it hears of that, once."""
    said: list[str] = []
    clock = Waiter(0.0)
    stop: threading.Event = clock  # type: ignore[assignment]
    held = Capacity(8.0, stop=stop, clock=clock, estimated=lambda: said.append("held"))
    for _ in range(20):
        with held.reserve(1.0):
            held.consume(capacity.written(None, [1, 1024, 1025, 28 * 1024]))
    assert held.consumed == 20 * 32
    assert 75.0 <= clock.now <= 77.0  # the last is not paid off yet
    assert said == ["held"]
    free = Capacity(estimated=lambda: said.append("free"))
    free.consume(capacity.written(None, [1]))
    assert said == ["held"]


def test_a_limit_is_shared_by_those_who_know_of_each_other() -> None:
    """Each keeps to its part of it, by the last number that was told; no limit stays none."""
    now = [0.0]
    limited = Capacity(100.0, clock=lambda: now[0])
    for processes, share in ((4, 25.0), (2, 50.0), (0, 100.0)):
        limited.share(processes)
        assert limited.units_per_second == share
        limited.consume(share)
        assert limited._wait_seconds() == 1.0
        now[0] += 1.0
        assert limited._wait_seconds() == 0.0
    free = Capacity()
    free.share(4)
    assert free.units_per_second is None


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (capacity.written(3.5, [9_999]), 3.5),
        (capacity.written(0.0, [10]), 1),
        (capacity.read(None, [1, 4096, 4097]), 4),
        (capacity.read(None, [], missing=3), 3),
        (capacity.read(2.0, [1]), 2.0),
        (capacity.scanned(None, 0), 0.5),
        (capacity.scanned(None, 1_000_000), 122.5),
        (capacity.scanned(128.5, 1), 128.5),
    ],
)
def test_units_by_size(units: float, expected: float) -> None:
    """A write for each 1 KB, a read for each 4 KB, half where it is eventually consistent; an answer's word first."""
    assert units == expected


@pytest.mark.parametrize("told", [1e300, float("inf"), float("nan"), -5.0, 0.0, None])
def test_what_no_call_can_use_is_not_believed(told: float | None) -> None:
    """An answer must not hold the next call up for years: an estimate stands in its place."""
    assert capacity.written(told, [100, 2000]) == 3.0
    assert capacity.read(told, [100], missing=1) == 2.0
    assert capacity.scanned(told, 9000) == 1.5
    assert capacity.written(260_000.0, []) == 260_000.0
