"""What was last told of a task's health, as the caretakers' row keeps it, for whoever takes over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from processor.flow import shapes

# How a task stands, from well to worst.
Health = Literal["inSync", "behind", "unknown", "notHealthy", "held", "loss"]


class Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The last message.

    :param number: of the task's messages, counted from 1
    :param to: where it went, as it is shown to people: another place has been told nothing yet
    :param at_ms: when it was made, milliseconds since the epoch
    :param since_ms: since when the health was as it said
    :param findings: the ids of what was wrong, sorted
    :param held: how many shards could not go on
    :param dead_letters: how many there were; None where that was not known; likewise conflicts
    :param in_a_row: how many messages came without an hour of calm between them, this one included
    """

    number: int
    to: str
    at_ms: int
    health: Health
    since_ms: int
    findings: tuple[str, ...] = ()
    held: int = 0
    dead_letters: int | None = None
    conflicts: int | None = None
    in_a_row: int = 1


def read(kept: Mapping[str, Any]) -> Told | None:
    """What the row has; None if nothing was told, or not by this version."""
    try:
        return shapes.convert(dict(kept), Told) if kept else None
    except msgspec.ValidationError:
        return None  # the next message says how the task stands


def kept(told: Told) -> dict[str, Any]:
    """As the row keeps it."""
    made: dict[str, Any] = msgspec.to_builtins(told)
    return made
