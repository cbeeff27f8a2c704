"""The two-way protocol far beyond what can be looked at whole: long runs, drawn at random."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model import world
from tests.model.steps import steps
from tests.model.verdict import violation
from tests.model.world import Budget, Play, World

# What the protocol can't promise is left out: items that are put back within the window, and a crash just after a write
# that has covered an attribute that was added at the hub between look and write.
PLAYS = {
    "hub wins": Play(
        hub=6,
        spoke=6,
        crashes=3,
        restores=2,
        spokes=2,
        stale=True,
        foreign=True,
        coalesces=True,
        chains=True,
        filled=True,
    ),
    "items are put back": Play(
        hub=5, spoke=7, crashes=3, restores=2, put_back=True, window=0, foreign=True, chains=True
    ),
    "items grow": Play(hub=7, spoke=5, restores=2, growing=True, coalesces=True, chains=True, filled=True),
    "last arrival wins": Play(
        hub=5, spoke=5, crashes=3, restores=2, policy="lastArrival", stale=True, foreign=True, chains=True
    ),
    "values return": Play(hub=6, spoke=6, crashes=3, restores=2, returning=True, coalesces=True, chains=True),
}
NO_MORE = Budget(hub=0, spoke=0, crashes=0, restores=0)


@settings(max_examples=400)
@given(name=st.sampled_from(sorted(PLAYS)), choices=st.lists(st.integers(0, 10**6), max_size=120), end=st.randoms())
def test_any_schedule_ends_well(name: str, choices: list[int], end: st.DrawFn) -> None:
    """Whatever happens in whatever order: when no application writes any more, it all comes to rest, and is equal."""
    play = PLAYS[name]
    now = world.first(play)
    for choice in choices:
        now = _step(now, play, choice)
    spoke_budget = now.budget.spoke
    now = now._replace(budget=NO_MORE._replace(next_value=now.budget.next_value))
    while list(steps(now, play)):
        now = _step(now, play, end.randrange(10**6))  # type: ignore[attr-defined]
        assert len(now.hub_stream) <= world.MOST_RECORDS
    found = violation(now._replace(budget=now.budget._replace(spoke=spoke_budget)), play)
    assert found is None


def _step(now: World, play: Play, choice: int) -> World:
    following = list(steps(now, play))
    return following[choice % len(following)][1] if following else now
