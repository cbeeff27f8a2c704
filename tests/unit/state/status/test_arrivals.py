"""How old a change is at most, by the look that didn't see it yet."""

from __future__ import annotations

from processor.state.status.arrivals import Arrivals
from processor.state.status.lineage import Lag, Pending


def _lag(count: int, first: int | None = None, newest: int | None = None, *, more: bool = False) -> Lag:
    pending = Pending(count=count, first=first, newest=newest, more=more)
    return Lag(seconds=50.0 if count else 0.0, pending=pending)


def test_a_change_that_the_look_before_did_not_see_is_younger_than_that_look() -> None:
    """Its own time, rounded to the minute, would say 50 s."""
    arrivals = Arrivals()
    assert arrivals.bounded("s", _lag(0), checkpoint="40", now=100.0) == (_lag(0), False)
    lag, is_better = arrivals.bounded("s", _lag(2, 50, 55), checkpoint="45", now=101.5)
    assert (lag.seconds, is_better) == (1.5, True)


def test_a_change_that_stays_grows_older() -> None:
    """It is as old as the look before the first that saw it says; its own time still counts where that is less."""
    arrivals = Arrivals()
    arrivals.bounded("s", _lag(0), checkpoint="40", now=100.0)
    for now, age in ((102.0, 2.0), (110.0, 10.0), (140.0, 40.0), (170.0, 50.0)):
        lag, is_better = arrivals.bounded("s", _lag(1, 50, 50), checkpoint="45", now=now)
        assert (lag.seconds, is_better) == (age, True)


def test_a_page_that_shows_not_all_bounds_nothing_after_it() -> None:
    """What was not shown may have been there."""
    arrivals = Arrivals()
    arrivals.bounded("s", _lag(1000, 50, 1049, more=True), checkpoint="45", now=100.0)
    lag, is_better = arrivals.bounded("s", _lag(10, 1060, 1070), checkpoint="1055", now=101.0)
    assert (lag.seconds, is_better) == (50.0, False)


def test_nothing_counted_bounds_nothing() -> None:
    """As of a shard that is far behind, or was not read."""
    arrivals = Arrivals()
    lag = Lag(seconds=None, note="can't be read")
    assert arrivals.bounded("s", lag, checkpoint=None, now=1.0) == (lag, False)
    arrivals.forget_all_but(set())
