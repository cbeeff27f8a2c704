"""What a write costs in the destination's table and in each of its indexes."""

from __future__ import annotations

from typing import Any

import pytest

from processor.commands.copy import estimate, write_cost
from processor.commands.copy.remeasure import Remeasure
from processor.dynamodb import prices, unit_limits


def _index(name: str, *key: str, **more: Any) -> dict[str, Any]:
    schema = [{"AttributeName": each, "KeyType": "HASH"} for each in key]
    return {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}} | more


def _table(*indexes: dict[str, Any], mode: str = "PAY_PER_REQUEST", **more: Any) -> dict[str, Any]:
    return {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingModeSummary": {"BillingMode": mode},
        "GlobalSecondaryIndexes": list(indexes),
    } | more


LARGE = {"id": {"S": "1"}, "a": {"S": "x"}, "pad": {"S": "y" * 1500}}
SMALL = {"id": {"S": "2"}}
KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}
INCLUDE = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["pad"]}


@pytest.mark.parametrize(
    ("index", "units"),
    [
        (_index("i", "a"), 1.0),  # half of the items, two units each
        (_index("i", "a", Projection=KEYS_ONLY), 0.5),
        (_index("i", "a", Projection=INCLUDE), 1.0),
        (_index("i", "id", "a"), 1.0),
        (_index("i", "none"), 0.0),
    ],
)
def test_an_index_takes_what_stands_in_it(index: dict[str, Any], units: float) -> None:
    """Items without its key take nothing, and one that is projected in part takes as much as that part."""
    table, found = write_cost.parts(_table(index), [LARGE, SMALL], average_bytes=0.0)
    assert (table.units_per_item, found.units_per_item, found.name) == (1.5, units, "index i")


def test_a_local_index_takes_of_the_tables_capacity() -> None:
    """It has none of its own."""
    (found,) = write_cost.parts(_table(LocalSecondaryIndexes=[_index("l", "id", "a")]), [LARGE], average_bytes=0.0)
    assert found.units_per_item == 4.0


def test_without_a_sample_every_item_stands_in_every_index() -> None:
    """So that the plan is too long rather than too short."""
    found = write_cost.parts(_table(_index("i", "a")), [], average_bytes=1500.0)
    assert [part.units_per_item for part in found] == [2, 2]


MAXIMUM = {"OnDemandThroughput": {"MaxWriteRequestUnits": 10, "MaxReadRequestUnits": -1}}
UNITS = {"ProvisionedThroughput": {"WriteCapacityUnits": 25, "ReadCapacityUnits": 5}}


@pytest.mark.parametrize(
    ("table", "rates"),
    [
        (_table(_index("i", "a")), [40_000.0, 40_000.0]),
        (_table(_index("i", "a", **MAXIMUM)), [40_000.0, 10.0]),
        (_table(_index("i", "a"), **MAXIMUM), [10.0, 40_000.0]),
        (_table(_index("i", "a", **UNITS), mode="PROVISIONED", **UNITS), [25.0, 25.0]),
    ],
)
def test_what_each_part_takes_a_second(table: dict[str, Any], rates: list[float]) -> None:
    """Its provisioned capacity, its maximum on demand, or AWS's."""
    assert [part.units_per_second for part in write_cost.parts(table, [LARGE], average_bytes=0.0)] == rates


SOURCE = {"ItemCount": 300, "TableSizeBytes": 300 * 950}


def _estimate(table: dict[str, Any], **more: Any) -> estimate.Estimate:
    item = {"id": {"S": "1"}, "pad": {"S": "x" * 900}} | {f"a{n}": {"S": "1"} for n in range(4)}
    parts = write_cost.parts(table, [item], average_bytes=950.0)
    return estimate.estimate(SOURCE, concurrent=False, parts=parts, **({"read_rate": None, "write_rate": None} | more))


def test_four_indexes_take_five_times_as_long() -> None:
    """A limit of ours counts what all parts consume together, a part's own only what that consumes."""
    found = _estimate(_table(*(_index(f"i{n}", f"a{n}") for n in range(4))), write_rate=50.0)
    assert (found.write_units, found.seconds, found.limited_by) == (1500, 30.0, "copyWriteUnits")
    found = _estimate(_table(_index("i0", "a0", **MAXIMUM)), write_rate=1000.0)
    assert (found.write_units, found.seconds, found.limited_by) == (600, 30.0, "index i0")
    assert _estimate(_table(**MAXIMUM)).limited_by == "table"


def test_what_the_first_page_has_consumed_counts() -> None:
    """More than its size says, where its items are small."""
    assert _estimate(_table(), scan_units_per_item=0.5).read_units == 150


def test_a_percentage_of_a_maximum() -> None:
    """A table on demand that has one."""
    assert unit_limits.a_second("50%", MAXIMUM, "WriteCapacityUnits") == 5.0
    with pytest.raises(ValueError, match="MaxReadRequestUnits"):
        unit_limits.a_second("50%", MAXIMUM, "ReadCapacityUnits")


def test_prices() -> None:
    """As docs/tuning.md has them for 100 GB in 100 million items, each of 1 KB."""
    assert prices.writes(100e6, "STANDARD") == pytest.approx(62.50)
    assert prices.reads(100e6, "STANDARD") == pytest.approx(12.50)
    assert prices.transfer(100 * 1024**3) == pytest.approx(25.0)
    assert prices.shown(1234.5) == "$1,234.50"
    assert prices.shown(0.001) == "less than a cent"


@pytest.mark.parametrize(
    ("items", "units", "said"),
    [
        (499, 5000.0, ""),
        (500, 0.0, ""),
        (500, 550.0, ""),
        (500, 1000.0, "2.00 write units each, where 1.00 were planned"),
    ],
)
def test_what_the_first_writes_show(items: int, units: float, said: str) -> None:
    """Said once, where it is a difference; with what follows for the time."""
    lines: list[str] = []
    source = {"ItemCount": 1_000_000, "TableSizeBytes": 1_000_000 * 950}
    planned = estimate.estimate(source, concurrent=False, read_rate=None, write_rate=20.0)
    seen = Remeasure(planned, concurrent=False, say=lines.append)
    seen.look(items, units)
    seen.look(items, units)
    assert len(lines) == (2 if said else 0)
    if said:
        assert said in lines[0]
        assert "2,000,000 write units" in lines[0]
        assert "will take about 27.8 hours" in lines[1]
