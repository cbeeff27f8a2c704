"""Moments for people, in UTC. Pure."""

from __future__ import annotations

from datetime import datetime, timezone


def of_ms(at_ms: int) -> str:
    """Of milliseconds since the epoch, as ``2027-01-15T08:00:00+00:00``."""
    return datetime.fromtimestamp(at_ms / 1000, tz=timezone.utc).isoformat(timespec="seconds")


def short(at_ms: int) -> str:
    """The same, as ``2027-01-15T08:00:00Z``."""
    return of_ms(at_ms).replace("+00:00", "Z")
