"""How many read units a second a verification may use of each table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.commands.verify.digests import Role
from processor.dynamodb import unit_limits
from processor.errors import UsageError
from processor.flow.rate_limiter import READ_UNIT_BYTES

# Of verifyEvery: a pass is through long before the next one is due, with room for what differs, and for interruptions.
_SHARE_OF_PERIOD = 1 / 4
# For a small table that is no burden, and it is compared within minutes.
_LEAST_UNITS = 20.0
# Of a table's provisioned capacity: applications have the rest.
_SHARE_OF_PROVISIONED = 1 / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Read units a second, of each table; None for no limit."""

    source: float | None = None
    destination: float | None = None

    def of(self, role: Role) -> float | None:
        """Of one table."""
        return self.source if role == "source" else self.destination

    def shared(self, processes: int) -> Pace:
        """What each of so many processes may use."""
        return Pace(
            source=None if self.source is None else self.source / processes,
            destination=None if self.destination is None else self.destination / processes,
        )


NO_LIMIT = Pace()


def of_setting(limit: str | None, source: Mapping[str, Any], destination: Mapping[str, Any]) -> Pace:
    """What ``verifyReadUnits`` allows.

    :param source: DescribeTable of it; ``destination``: the same
    :raises UsageError: it is a percentage of what a table doesn't have
    """
    try:
        return Pace(
            source=unit_limits.a_second(limit, source, "ReadCapacityUnits"),
            destination=unit_limits.a_second(limit, destination, "ReadCapacityUnits"),
        )
    except ValueError as exc:
        raise UsageError(
            f"verifyReadUnits: {exc}. Nothing was compared. Give units a second, or leave it out."
        ) from exc


def spread(source: Mapping[str, Any], destination: Mapping[str, Any], *, every_seconds: int) -> Pace:
    """What a pass that begins every so often takes by itself, so that nobody notices it."""
    return Pace(source=_spread(source, every_seconds), destination=_spread(destination, every_seconds))


def _spread(table: Mapping[str, Any], every_seconds: int) -> float:
    # A scan is eventually consistent: half a unit for each 4 KB (DynamoDB developer guide, capacity of reads).
    whole = int(table.get("TableSizeBytes", 0)) / READ_UNIT_BYTES / 2
    units = max(whole / (every_seconds * _SHARE_OF_PERIOD), _LEAST_UNITS)
    provisioned = unit_limits.provisioned(table, "ReadCapacityUnits")
    return min(units, max(provisioned * _SHARE_OF_PROVISIONED, 1.0)) if provisioned else units
