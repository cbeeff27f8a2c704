"""Waits between tries, and what is said meanwhile."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable

import pytest

from processor.flow.outage import NEWS_SECONDS, Outage
from processor.flow.retry_policy import RECORDS, Backoff, RetryPolicy, Rhythm
from processor.reporting.logs import NOTICE, Log
from tests.fakes.clock import Clock
from tests.fakes.patience import PATIENCE_SECONDS
from tests.unit.conftest import Event

Events = Callable[[], list[Event]]
USUAL = RECORDS.rhythm


@pytest.fixture
def clock() -> Clock:
    """The outage's clock."""
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    """An outage of nothing so far."""
    return Outage(Log(shard="s"), "delayed", note="kept", clock=clock)


def test_backoff_doubles_up_to_its_bound() -> None:
    """The n-th wait is drawn from 0 to a bound that doubles up to ``most`` and starts anew after a success."""
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    backoff = Backoff(RetryPolicy(first_pause_seconds=1, longest_pause_seconds=5), uniform=uniform)
    assert [backoff.next_seconds() for _ in range(5)] == [1, 2, 4, 5, 5]
    assert {5.0} == {backoff.next_seconds() for _ in range(2000)}
    backoff.reset()
    assert backoff.next_seconds() == 1
    assert {0.0} == {low for low, _ in drawn}


def test_an_outage_that_lasts_is_told_with_its_age(clock: Clock) -> None:
    """Half a minute after its first failure, which is when it began, and once more when it is over."""
    told: list[tuple[str | None, float]] = []
    outage = Outage(
        Log(), "delayed", note="kept", clock=clock, lasting=lambda reason, seconds: told.append((reason, seconds))
    )
    for _ in range(8):
        outage.failed("Throttling", "too fast")
        clock.now += 5
    outage.succeeded()
    assert told == [("too fast", 30), (None, 40)]


def test_the_first_failure_is_reported_at_once(outage: Outage, events: Events) -> None:
    """The first failure is a warning with its kind, its reason and what becomes of the data."""
    outage.failed("Throttling", "too fast")
    fields = {"shard": "s", "error": "Throttling", "failures": 1, "reason": "too fast", "note": "kept"}
    assert [Event(logging.WARNING, "delayed", fields)] == events()


def test_reports_become_rarer_and_count_all_failures(outage: Outage, clock: Clock, events: Events) -> None:
    """Intervals between reports double from the first to the last, and no failure goes uncounted."""
    times: list[float] = []
    tries = 4000
    for _ in range(tries):
        before = len(events())
        outage.failed("Throttling", "too fast")
        if len(events()) > before:
            times.append(clock.now)
        clock.now += 0.5
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert [USUAL.first_seconds * 2**i for i in range(6)] == gaps[:6]
    assert USUAL.last_seconds == gaps[-1] == max(gaps)
    outage.failed("Throttling", "too fast")
    clock.now += USUAL.last_seconds + USUAL.quiet_seconds
    outage.failed("Throttling", "too fast")
    assert tries + 2 == sum(event.fields["failures"] for event in events())


def test_after_a_quiet_while_the_next_failure_is_news_again(outage: Outage, clock: Clock, events: Events) -> None:
    """A failure after ``USUAL.quiet_seconds`` without any is reported at once."""
    for _ in range(2):
        outage.failed("Throttling", "too fast")
        outage.succeeded()
        clock.now += USUAL.quiet_seconds + 1
    assert [event.name for event in events() if event.name == "delayed"] == ["delayed", "delayed"]


def test_a_rhythm_of_its_own(clock: Clock, events: Events) -> None:
    """What is tried once a minute is said less often than it fails."""
    rhythm = Rhythm(first_seconds=600, last_seconds=3600, quiet_seconds=3600)
    outage = Outage(Log(), "delayed", note="kept", rhythm=rhythm, clock=clock)
    for _ in range(180):
        outage.failed("Throttling", "too fast")
        clock.now += 60
    assert [event.fields["failures"] for event in events()] == [1, 10, 20, 40, 60]


@pytest.mark.parametrize(("seconds", "said"), [(NEWS_SECONDS - 0.1, []), (NEWS_SECONDS, [(NOTICE, 5.0)])])
def test_the_end_of_an_outage_is_reported_once(
    seconds: float, said: list[tuple[int, float]], outage: Outage, clock: Clock, events: Events
) -> None:
    """A success after an outage that lasted says so once; a short one's end is no news."""
    outage.failed("Throttling", "too fast")
    clock.now += seconds
    outage.succeeded()
    outage.succeeded()
    assert said == [(event.level, event.fields["seconds"]) for event in events() if event.name == "delayed_over"]


def test_each_outage_that_lasts_is_said_from_its_begin_to_its_end(outage: Outage, clock: Clock, events: Events) -> None:
    """However soon after another: nobody reads of an end whose begin was left out."""
    for _ in range(6):
        for _ in range(13):
            outage.failed("Throttling", "too fast")
            clock.now += 1
        outage.succeeded()
        clock.now += 2
    names = [event.name for event in events()]
    assert names.count("delayed_over") == 6
    assert all("delayed" in names[begin:end] for begin, end in itertools.pairwise(ends(names)))


def ends(names: list[str]) -> list[int]:
    """Where ends are said, and before the first of them."""
    return [0, *(at for at, name in enumerate(names) if name == "delayed_over")]


def test_what_works_now_and_then_is_said_ever_more_rarely(outage: Outage, clock: Clock, events: Events) -> None:
    """Failures of a moment each, all the time, are no outages; and an end that nobody waits for is no news."""
    for _ in range(300):
        outage.failed("Throttling", "too fast")
        clock.now += 1
        outage.succeeded()
    assert [event.name for event in events()] == ["delayed"] * 6


def test_threads_share_one_outage(outage: Outage, events: Events) -> None:
    """Many threads that fail at once make one report, not one each."""
    threads = [threading.Thread(target=outage.failed, args=("Throttling", "too fast"), daemon=True) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    assert [thread.is_alive() for thread in threads] == [False] * 16
    assert [event.name for event in events()] == ["delayed"]
