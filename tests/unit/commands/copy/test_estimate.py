"""What a copy costs, and whether there is time for it."""

from __future__ import annotations

from typing import Any

import pytest

from processor.commands.copy import estimate

TABLE = {"ItemCount": 1_000_000, "TableSizeBytes": 1_500_000_000}


def _estimate(**given: Any) -> estimate.Estimate:
    return estimate.estimate(**({"source": TABLE, "concurrent": False, "read_rate": None, "write_rate": None} | given))


def test_units_and_time() -> None:
    """Write units are the original's formula: items times the average size in KB, rounded up; reads are half units."""
    found = _estimate(write_rate=100.0, read_rate=1000.0)
    assert (found.items, found.write_units, found.read_units) == (1_000_000, 2_000_000, 183_106)
    assert found.seconds == found.seconds_by_write_units == 20_000.0
    assert _estimate(read_rate=1.0).seconds == 183_106.0
    assert _estimate().seconds == pytest.approx(1_000_000 / estimate.ITEMS_PER_SECOND)
    assert _estimate(processes=4).seconds == pytest.approx(250_000 / estimate.ITEMS_PER_SECOND)


def test_beside_a_replication_each_item_is_read_twice() -> None:
    """The second time consistently, by itself."""
    assert _estimate(concurrent=True).read_units == 183_106 + 1_000_000


def test_what_is_left() -> None:
    """A copy that goes on costs less."""
    assert _estimate(copied_items=750_000).write_units == 500_000
    assert _estimate(copied_items=2_000_000).items == 0


def test_an_empty_table() -> None:
    """It costs nothing."""
    found = _estimate(source={"ItemCount": 0, "TableSizeBytes": 0}, write_rate=5.0)
    assert (found.seconds, found.write_units, found.read_units) == (0.0, 0, 0)


@pytest.mark.parametrize(
    ("hours", "concurrent", "severities"),
    [(11.9, False, []), (12.1, False, ["warning"]), (20.1, False, ["error"]), (20.1, True, [])],
)
def test_whether_there_is_time(hours: float, concurrent: bool, severities: list[str]) -> None:  # noqa: FBT001
    """Past 12 hours is a warning, past 20 an error, unless replication runs meanwhile."""
    found = _estimate(write_rate=2_000_000 / (hours * 3600))
    assert [finding.severity for finding in estimate.findings(found, concurrent=concurrent)] == severities


def test_a_table_for_several_machines() -> None:
    """If only this machine is too slow, that is a warning, which names the remedy: more machines share the work."""
    items = round(21 * 3600 * estimate.ITEMS_PER_SECOND)
    source = {"ItemCount": items, "TableSizeBytes": items * 300}
    (found,) = estimate.findings(_estimate(source=source), concurrent=False)
    assert (found.severity, found.id) == ("warning", "copy-long")
    assert "on this machine alone" in found.text
    assert "on more machines" in found.text
    (found,) = estimate.findings(_estimate(source=source, write_rate=items / (21 * 3600)), concurrent=False)
    assert (found.severity, found.id) == ("error", "copy-too-long")


@pytest.mark.parametrize(
    ("age_hours", "hours", "severities"),
    [
        (10.0, 1.9, []),
        (10.0, 2.1, ["warning"]),
        (20.5, 2.4, ["warning"]),
        (20.5, 2.6, ["error"]),
        (10.0, 13.1, ["error"]),
    ],
)
def test_whether_there_is_time_for_the_rest(age_hours: float, hours: float, severities: list[str]) -> None:
    """What went by since the copy began counts; the rest may take until the copy must be through."""
    found = _estimate(write_rate=2_000_000 / (hours * 3600))
    findings = estimate.findings(found, concurrent=False, age_seconds=age_hours * 3600)
    assert [finding.severity for finding in findings] == severities
