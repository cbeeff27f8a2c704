"""How fast a verification reads."""

from __future__ import annotations

from typing import Any

import pytest

from processor.commands.verify import pace
from processor.commands.verify.pace import Pace
from processor.errors import UsageError

GB = 2**30
DAY = 86_400


def _table(size: int = 0, provisioned: int = 0) -> dict[str, Any]:
    return {"TableSizeBytes": size, "ProvisionedThroughput": {"ReadCapacityUnits": provisioned}}


def test_what_the_setting_says() -> None:
    """Units of each table, or a percentage of each table's own; no limit without it."""
    assert pace.of_setting(None, _table(), _table()) == pace.NO_LIMIT
    assert pace.of_setting("50", _table(), _table()) == Pace(source=50.0, destination=50.0)
    assert pace.of_setting("10%", _table(provisioned=100), _table(provisioned=40)) == Pace(source=10, destination=4)
    with pytest.raises(UsageError, match="verifyReadUnits: '10%' is a percentage, and the table is on demand"):
        pace.of_setting("10%", _table(provisioned=100), _table())


@pytest.mark.parametrize(
    ("table", "units"),
    [
        (_table(), 20.0),  # a small table is through in minutes
        (_table(100 * GB), 100 * GB / 8192 / (DAY / 4)),  # a large one in a quarter of the period
        (_table(100 * GB, provisioned=1_000), 250.0),  # of which applications keep three quarters
        (_table(100 * GB, provisioned=1), 1.0),
    ],
)
def test_what_a_pass_takes_by_itself(table: dict[str, Any], units: float) -> None:
    """So much that it ends in time, and no more."""
    assert pace.spread(table, _table(), every_seconds=DAY) == Pace(source=pytest.approx(units), destination=20.0)


def test_processes_share_it() -> None:
    """Evenly; what is not limited stays so."""
    assert Pace(source=30.0).shared(3) == Pace(source=10.0)
