"""How often a caretaker looks: seldom only where nothing is to be seen."""

from __future__ import annotations

from typing import Any, cast

import pytest

from processor.caretaker import pace
from processor.caretaker.duty import Standing
from processor.state.care_row import CareRow
from tests.fakes.task import tasks
from tests.unit.commands.console.looks import known, shard

LONG = pace.BEGINNING_SECONDS


def _standing(*, lag_seconds: float = 0.0, **care: Any) -> Standing:
    report = known(shard(lag_seconds=lag_seconds)).found.report
    assert report is not None
    return Standing(settings=tasks.task(), report=report, seen=cast("Any", None), care=CareRow(**care), copy=None)


@pytest.mark.parametrize(
    ("standing", "held_seconds", "is_working", "expected"),
    [
        (_standing(), LONG, False, pace.CALM_SECONDS),
        (_standing(phase="in sync"), LONG, False, pace.CALM_SECONDS),
        (_standing(), LONG - 1, False, pace.CLOSE_SECONDS),
        (_standing(lag_seconds=900.0), LONG, False, pace.CLOSE_SECONDS),
        (_standing(phase="copying"), LONG, False, pace.CLOSE_SECONDS),
        (_standing(phase="in sync"), LONG, True, pace.CLOSE_SECONDS),
    ],
)
def test_a_look_a_minute_while_all_is_well(
    standing: Standing, held_seconds: float, *, is_working: bool, expected: float
) -> None:
    """And every ten seconds after a start, while something is wrong, and while a replica is made."""
    assert pace.look_seconds(standing, held_seconds=held_seconds, is_working=is_working) == expected
