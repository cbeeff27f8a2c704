"""How many calls are under way at once."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from processor.replication.concurrency import CALL_SECONDS, FIRST_LIMIT, MEASURE_SECONDS, ConcurrencyLimit
from tests.fakes.patience import PATIENCE_SECONDS

MOST = 40


class Destination:
    """Answers after a round trip that is only told, and counts how many calls meet."""

    def __init__(self, limit: ConcurrencyLimit, *, round_trip: float) -> None:
        self.limit = limit
        self.round_trip = round_trip
        self.met: list[int] = []
        self._under_way = 0
        self._changed = threading.Condition()

    def call(self, meeting: int) -> None:
        """Return when ``meeting`` calls are under way at once, as they were or are."""
        with self._changed:
            self._under_way += 1
            self.met.append(self._under_way)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: max(self.met) >= meeting, timeout=PATIENCE_SECONDS)
            self._under_way -= 1
        self.limit.answered(self.round_trip)

    def batch(self, calls: int, *, meeting: int = 1) -> None:
        """One batch of so many calls."""
        self.met = []
        self.limit.run([lambda: self.call(meeting)] * calls)


def _known(round_trip: float) -> Destination:
    """A destination whose round trip is measured."""
    destination = Destination(ConcurrencyLimit(MOST, name="test"), round_trip=9.0)
    destination.batch(1)  # its time says nothing: it connects
    destination.round_trip = round_trip
    destination.batch(1)
    return destination


@pytest.mark.parametrize("most", [1, 3, 50])
def test_every_work_is_done_once(most: int) -> None:
    """Whatever the limit is, each work of a batch is done exactly once."""
    done: list[int] = []
    limit = ConcurrencyLimit(most, name="test")
    for _ in range(2):
        limit.run([partial(done.append, number) for number in range(20)])
    assert sorted(done) == sorted([*range(20), *range(20)])


def test_a_far_destination_gets_as_many_calls_at_once_as_its_round_trip_leaves_time_for() -> None:
    """At ten calls' time of round trip, eleven calls are under way; at hardly any, two; never more than ``most``."""
    assert _known(CALL_SECONDS * 9.5).limit.current == 11
    assert _known(CALL_SECONDS / 2).limit.current == 2
    assert _known(60.0).limit.current == MOST
    far = _known(CALL_SECONDS * 9.5)
    far.batch(30, meeting=11)
    assert max(far.met) == 11


def test_the_first_call_says_nothing_of_the_round_trip() -> None:
    """It looks up credentials and connects: until another is measured, the limit is one for a region."""
    destination = Destination(ConcurrencyLimit(MOST, name="test"), round_trip=9.0)
    destination.batch(1)
    assert destination.limit.current == FIRST_LIMIT


def test_a_busy_shard_measures_by_a_call_that_goes_alone() -> None:
    """Calls side by side wait for each other as well; so every so often one goes first, and alone."""
    now = [0.0]
    limit = ConcurrencyLimit(MOST, name="test", clock=lambda: now[0])
    destination = Destination(limit, round_trip=CALL_SECONDS * 3)
    destination.batch(20)
    destination.batch(20)
    assert limit.current == 4
    destination.round_trip = CALL_SECONDS * 7
    destination.batch(20)
    assert limit.current == 4
    now[0] += MEASURE_SECONDS
    destination.batch(20)
    assert limit.current == 8


def test_a_destination_that_throttles_gets_fewer_calls_at_once_and_then_more_again() -> None:
    """Each batch with throttling halves the limit, down to one; each without raises it, up to the most."""
    destination = _known(60.0)
    limit = destination.limit
    widths = []
    for _ in range(8):
        limit.run([limit.throttled] * 3)
        widths.append(limit.current)
    assert widths == [20, 10, 5, 2, 1, 1, 1, 1]
    while limit.current < MOST:
        before = limit.current
        destination.batch(2)
        assert limit.current > before


@pytest.mark.parametrize("calls", [1, 2])
def test_a_small_batch_needs_no_thread_but_its_own(calls: int) -> None:
    """What changes one by one is written by the thread that brings it."""
    destination = _known(CALL_SECONDS / 100)
    threads: set[str] = set()
    destination.limit.run([lambda: threads.add(threading.current_thread().name)])
    assert threads == {threading.current_thread().name}
    destination.batch(calls)


def test_threads_that_share_the_limit_make_no_more_calls_at_once_than_allowed() -> None:
    """A copy's threads bring batches side by side; ``most`` is of all of them."""
    limit = ConcurrencyLimit(3, name="test")
    under_way, met = [0], [0]
    changed = threading.Condition()

    def call() -> None:
        with changed:
            under_way[0] += 1
            met[0] = max(met[0], under_way[0])
            changed.notify_all()
            assert changed.wait_for(lambda: met[0] >= 3, timeout=PATIENCE_SECONDS)
            changed.wait(0.001)  # so that a fourth could join
            under_way[0] -= 1

    threads = [threading.Thread(target=limit.run, args=([call] * 10,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == [3]


def test_one_work_is_done_by_whoever_asks() -> None:
    """Without a thread; its round trip is measured, and its throttling counts, as in a batch of one."""
    limit = ConcurrencyLimit(MOST, name="test")

    def call() -> int:
        limit.answered(10 * CALL_SECONDS)
        return threading.get_ident()

    assert {limit.run_one(call), limit.run_one(call)} == {threading.get_ident()}
    assert limit.current == 11
    limit.run_one(limit.throttled)
    assert limit.current == 5


def test_one_work_that_fails_leaves_nothing_behind() -> None:
    """What it raises is raised, and a batch's calls after it are not taken for calls alone."""
    limit = ConcurrencyLimit(MOST, name="test")

    def fail() -> None:
        raise KeyError

    for _ in range(MOST + 1):  # more than there are slots
        with pytest.raises(KeyError):
            limit.run_one(fail)
    limit.answered(1.0)
    limit.answered(9.0)  # by nobody that is alone
    limit.run([lambda: None] * 3)
    assert limit.current == FIRST_LIMIT
