"""Counts the write units that an item consumes at the destination, in the table and in its indexes. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from processor.dynamodb import table_spec
from processor.dynamodb.item_size import item_bytes
from processor.flow.rate_limiter import WRITE_UNIT_BYTES

# What one table, or one index, on demand takes at most a second, where its own maximum is not set: AWS's default quota
# (DynamoDB quotas, throughput default quotas).
ON_DEMAND_UNITS = 40_000.0
_KIND = "WriteCapacityUnits"

Item = Mapping[str, Mapping[str, Any]]


class CostPart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The table with its local indexes, or one global index: each has its own capacity.

    :param units_per_item: write units, on average
    :param units_per_second: the write units that it takes a second; None if that is not known
    """

    name: str
    units_per_item: float
    units_per_second: float | None


def parts(destination: Mapping[str, Any], sample: Sequence[Item], *, average_bytes: float) -> list[CostPart]:
    """The parts of the destination whose capacity a write consumes, the table first.

    :param destination: ``Table`` of DescribeTable's answer
    :param sample: some of the source's items
    :param average_bytes: the size of an item, used without a sample; every index is then assumed to have every item
    """
    key = _key_names(destination)
    of_table = _average_units(sample, None, average_bytes)
    for index in destination.get(table_spec.LOCAL) or []:
        of_table += _index_units(index, key, sample, average_bytes)
    table = CostPart(
        name="table", units_per_item=of_table, units_per_second=units_per_second(destination, destination, _KIND)
    )
    indexes = [
        CostPart(
            name=f"index {index['IndexName']}",
            units_per_item=_index_units(index, key, sample, average_bytes),
            units_per_second=units_per_second(index, destination, _KIND),
        )
        for index in destination.get(table_spec.GLOBAL) or []
    ]
    return [table, *indexes]


def _key_names(part: Mapping[str, Any]) -> list[str]:
    return [each["AttributeName"] for each in part.get("KeySchema", [])]


def _index_units(index: Mapping[str, Any], key: Sequence[str], sample: Sequence[Item], average_bytes: float) -> float:
    """An item without the index's key does not stand in it, and one that is projected in part is smaller there."""
    own = _key_names(index)
    projection = index.get("Projection", {})
    names = None
    if projection.get("ProjectionType", "ALL") != "ALL":
        names = {*key, *own, *projection.get("NonKeyAttributes", [])}
    within = [item for item in sample if all(name in item for name in own)]
    share = len(within) / len(sample) if sample else 1.0
    return share * _average_units(within, names, average_bytes) if share else 0.0


def _average_units(sample: Sequence[Item], names: set[str] | None, average_bytes: float) -> float:
    sizes: Iterator[float] = (item_bytes(dict(item), names) for item in sample)  # type: ignore[arg-type]  # not changed
    units = [max(1, math.ceil(size / WRITE_UNIT_BYTES)) for size in (sizes if sample else iter([average_bytes]))]
    return sum(units) / len(units)


def units_per_second(part: Mapping[str, Any], table: Mapping[str, Any], kind: str) -> float | None:
    """The capacity units that a table, or one of its indexes, takes a second.

    :param kind: ``ReadCapacityUnits`` or ``WriteCapacityUnits``
    :returns: what is provisioned, the maximum of what is on demand, or else AWS's; None where nothing is known
    """
    provisioned = float(part.get("ProvisionedThroughput", {}).get(kind, 0))
    if table_spec.billing_mode(table) == "PROVISIONED":
        return provisioned or None
    most = part.get("OnDemandThroughput", {}).get(f"Max{kind.replace('CapacityUnits', 'RequestUnits')}", -1)
    return float(most) if most and most > 0 else ON_DEMAND_UNITS
