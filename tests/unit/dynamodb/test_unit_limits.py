"""How many units a second a setting allows."""

from __future__ import annotations

import pytest

from processor.dynamodb import unit_limits


def test_rates() -> None:
    """Units a second, or a percentage of what the table has."""
    table = {"ProvisionedThroughput": {"ReadCapacityUnits": 40, "WriteCapacityUnits": 10}}
    assert unit_limits.a_second("50%", table, "ReadCapacityUnits") == 20.0
    assert unit_limits.a_second("7", table, "WriteCapacityUnits") == 7.0
    assert unit_limits.a_second(None, table, "WriteCapacityUnits") is None
    with pytest.raises(ValueError, match="is on demand"):
        unit_limits.a_second("50%", {"ProvisionedThroughput": {"WriteCapacityUnits": 0}}, "WriteCapacityUnits")
