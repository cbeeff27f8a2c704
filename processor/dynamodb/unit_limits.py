"""How many capacity units a second a setting allows of a table: so many, or a percentage of the table's own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal["ReadCapacityUnits", "WriteCapacityUnits"]


def a_second(limit: str | None, table: Mapping[str, Any], kind: Kind) -> float | None:
    """Units a second that ``copyReadUnits``, ``copyWriteUnits`` or ``verifyReadUnits`` allows.

    :param limit: a number, or a percentage of the table's provisioned capacity, or of its maximum on demand
    :param table: DescribeTable of it
    :raises ValueError: a percentage of a table that has none
    """
    if limit is None:
        return None
    if not limit.endswith("%"):
        return float(limit)
    there = provisioned(table, kind)
    most = f"Max{kind.removesuffix('CapacityUnits')}RequestUnits"
    if not there and (found := table.get("OnDemandThroughput", {}).get(most, -1)) > 0:
        there = found
    if not there:
        message = f"'{limit}' is a percentage, and the table is on demand: it has no {kind}, and no {most}"
        raise ValueError(message)
    return float(limit[:-1]) / 100 * float(there)


def provisioned(table: Mapping[str, Any], kind: Kind) -> int:
    """The table's provisioned units a second; 0 if it is on demand."""
    return int(table.get("ProvisionedThroughput", {}).get(kind, 0))
