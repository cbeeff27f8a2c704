"""How a pass of the continuous verification compares."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.commands.verify import rolling
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.pace import Pace
from processor.errors import UsageError
from tests.fakes.task.tasks import task

ROLLING = VerifyOptions(rolling=True)


@pytest.mark.parametrize(
    ("repair", "expected"), [("false", (False, False)), ("true", (True, False)), ("deleteExtra", (True, True))]
)
def test_whether_it_repairs_is_a_setting(repair: str, expected: tuple[bool, bool]) -> None:
    """And what only the destination has is deleted only if that is asked for by name."""
    made = rolling.options_of(task(verifyRepair=repair), ROLLING)
    assert (made.repair, made.delete_extra) == expected
    assert made.recheck > VerifyOptions().recheck


@pytest.mark.parametrize("given", [{"repair": True}, {"share": 0.5}, {"ignore": (("a",),)}, {"recheck": 0}])
def test_other_options_contradict_it(given: dict[str, object]) -> None:
    """What is kept of a pass must be of everything; where the keys are shown says nothing of that."""
    with pytest.raises(UsageError, match="Nothing was compared"):
        rolling.options_of(task(), VerifyOptions(rolling=True, **given))  # type: ignore[arg-type]
    rolling.options_of(task(), VerifyOptions(rolling=True, show=0, output=Path("x"), as_json=True))


def test_it_takes_little_of_the_machine() -> None:
    """One process of few threads, unless the settings say otherwise."""
    made = rolling.settings_of(task())
    assert (made.verify_processes, made.threads) == (1, 4)
    made = rolling.settings_of(task(verifyProcesses="3", applyThreads="2"))
    assert (made.verify_processes, made.threads) == (3, 2)


def test_its_pace() -> None:
    """By the setting, or by the tables' size and how often it is made."""
    table = {"TableSizeBytes": 2**40}
    assert rolling.pace_of(task(verifyReadUnits="7"), table, table) == Pace(source=7, destination=7)
    daily = rolling.pace_of(task(verifyEvery="24h"), table, table)
    weekly = rolling.pace_of(task(verifyEvery="7d"), table, table)
    assert daily.source is not None
    assert weekly.source is not None
    assert daily.source == pytest.approx(7 * weekly.source)
    assert rolling.pace_of(task(), table, table) == daily
