"""Rates follow from what checkpoints count and pages show; where they don't, they are not known."""

from __future__ import annotations

from typing import Any

from processor.commands.console.history import History
from processor.state.status.lineage import Lag, Pending, ShardState


def _shard(shard_id: str = "s-1", *, applied: int | None, checkpoint: str | None, **more: Any) -> ShardState:
    given = {"state": "reading", "open": True, "owner": "w-1", "parent": None, "parent_state": None, **more}
    return ShardState(shard_id=shard_id, applied=applied, checkpoint=checkpoint, **given)


def _lags(*, more: bool = False, **pending: int) -> dict[str, Lag]:
    return {
        name.replace("_", "-"): Lag(seconds=1.0 if count else 0.0, pending=Pending(count=count, more=more))
        for name, count in pending.items()
    }


def _rates(history: History) -> tuple[float | None, float | None]:
    last = history.samples()[-1]
    return last.written, last.applied


def test_what_was_applied_and_what_has_come_in_between() -> None:
    """Ten seconds, 300 records applied, and 50 more wait than before: 35 a second were written."""
    history = History(interval_seconds=10)
    history.add(0, [_shard(applied=1000, checkpoint="5")], _lags(s_1=10), 1.0)
    assert _rates(history) == (None, None)
    history.add(10_000, [_shard(applied=1300, checkpoint="9")], _lags(s_1=60), 2.0)
    assert _rates(history) == (35.0, 30.0)
    sample = history.samples()[-1]
    assert (sample.lag_seconds, sample.pending, sample.at_ms) == (2.0, 60, 10_000)


def test_a_shard_that_ends_and_those_that_begin_are_counted_on() -> None:
    """A new lease begins with nothing applied; one that is gone takes nothing away."""
    history = History(interval_seconds=10)
    history.add(0, [_shard(applied=1000, checkpoint="5")], _lags(s_1=10), 1.0)
    ended = _shard(applied=1010, checkpoint="SHARD_END", state="finished")
    history.add(10_000, [ended, _shard("s-2", applied=90, checkpoint="7")], _lags(s_2=0), 0.0)
    assert _rates(history) == (9.0, 10.0)
    history.add(20_000, [_shard("s-2", applied=190, checkpoint="8")], _lags(s_2=0), 0.0)
    assert _rates(history) == (10.0, 10.0)


def test_what_nobody_counts_is_not_known() -> None:
    """A daemon of an earlier version moves the checkpoint, and leaves the number as it is, or there is none."""
    for before, after in ((None, None), (7, 7)):
        history = History(interval_seconds=10)
        history.add(0, [_shard(applied=before, checkpoint="5")], _lags(s_1=0), 0.0)
        history.add(10_000, [_shard(applied=after, checkpoint="6")], _lags(s_1=0), 0.0)
        assert _rates(history) == (None, None)
        history.add(20_000, [_shard(applied=after, checkpoint="6")], _lags(s_1=0), 0.0)
        assert _rates(history) == (0.0, 0.0)


def test_a_backlog_of_more_than_a_page_hides_what_is_written() -> None:
    """What is applied is known all the same."""
    history = History(interval_seconds=10)
    history.add(0, [_shard(applied=0, checkpoint="5")], _lags(s_1=1000, more=True), 50.0)
    history.add(10_000, [_shard(applied=500, checkpoint="6")], _lags(s_1=1000, more=True), 55.0)
    assert (_rates(history), history.samples()[-1].pending) == ((None, 50.0), None)


def test_a_quarter_of_an_hour_is_kept_in_no_more_points_than_are_drawn() -> None:
    """Looks each second are joined: rates as their average, lags by the worst."""
    history = History(interval_seconds=1)
    for second in range(1200):
        lag = 9.0 if second == 1100 else 0.0
        history.add(second * 1000, [_shard(applied=second * 5, checkpoint=str(second))], _lags(s_1=0), lag)
    samples = history.samples()
    assert 170 <= len(samples) <= 182
    assert samples[0].at_ms >= (1199 - 900) * 1000
    assert {sample.applied for sample in samples} == {5.0}
    assert [sample.lag_seconds for sample in samples].count(9.0) == 1
    latest = history.latest()
    assert latest is not None
    assert (latest.applied, latest.lag_seconds) == (5.0, 0.0)
