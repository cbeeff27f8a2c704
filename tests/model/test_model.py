"""The two-way protocol in every order of events, up to a bound; ``./test.sh model`` goes further."""

from __future__ import annotations

import pytest

from tests.model import checked
from tests.model.explore import explore
from tests.model.plays import PLAYS
from tests.model.shortcuts import SHORTCUTS
from tests.model.world import Play

# Each takes less than a second.
MOST_STATES = 40_000
# The rarest counterexample has more states before it.
MOST_STATES_OF_A_SHORTCUT = 200_000


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_the_protocol_holds(play: Play) -> None:
    """Both sides end equal, nothing echoes, nothing is lost without a word."""
    found = checked.check(play, most_states=MOST_STATES)
    assert found.violation is None, str(found)
    assert found.is_whole or found.states > MOST_STATES


@pytest.mark.parametrize("play", SHORTCUTS.values(), ids=SHORTCUTS)
def test_a_shortcut_does_not_hold(play: Play) -> None:
    """So each part of the protocol is there for a reason, and the checker sees what it is there for."""
    found = checked.check(play, most_states=MOST_STATES_OF_A_SHORTCUT)
    assert found.violation is not None, str(found)


def test_the_checker_finds_the_shortest_way() -> None:
    """A counterexample that a person can follow."""
    found = explore(
        0,
        lambda number: [("one more", number + 1), ("twice", number * 2)],
        lambda number: "it is nine" if number == 9 else None,
        most_states=1000,
    )
    assert found.violation == "it is nine"
    assert len(found.trace) == 5


def test_the_checker_says_where_it_stops() -> None:
    """What was not looked at is not called sound."""
    found = explore(0, lambda number: [("one more", number + 1)], lambda _: None, most_states=10)
    assert not found.is_whole
    assert str(found) == "holds in the first 11 states"
