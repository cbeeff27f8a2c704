"""What the protocol asks of a table, and what it hears. Pure.

The protocol's parts (``mirror.py``, ``uplink.py``, ``restore.py``) are generators that yield requests of one key and
receive outcomes. They do no I/O themselves: the same code runs against DynamoDB (``writer.py``) and, in every order of
events, against tables in memory (``tests/model/``).

An error is no outcome: who makes a request raises it, and begins anew with a new generator. That is as after a crash.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import msgspec

from processor.replication.two_way.conditions import Condition
from processor.replication.two_way.conflicts import Conflict
from processor.replication.two_way.marker import Marker

T = TypeVar("T")


class Get(msgspec.Struct, frozen=True):
    """The item, read consistently. Outcome: ``Found``."""


class GetHub(msgspec.Struct, frozen=True):
    """The item of the other table, the hub, read consistently. Outcome: ``Found``. Only ``restore.py`` needs both."""


class Put(msgspec.Struct, frozen=True):
    """The whole item. Outcome: ``Written`` or ``Failed``."""

    item: msgspec.Raw
    condition: Condition


class SetMarker(msgspec.Struct, frozen=True):
    """The marker alone; all else stays. Outcome: ``Written`` or ``Failed``."""

    marker: Marker
    condition: Condition


class Delete(msgspec.Struct, frozen=True):
    """Outcome: ``Written`` or ``Failed``."""

    condition: Condition


class Keep(msgspec.Struct, frozen=True):
    """A conflict, to be stored for good. Outcome: ``Kept``."""

    conflict: Conflict


class Found(msgspec.Struct, frozen=True):
    """The item that is there; None for none."""

    item: msgspec.Raw | None


class Written(msgspec.Struct, frozen=True):
    """The condition held. ``before`` is the item that a put or a delete has taken the place of; None for none."""

    before: msgspec.Raw | None = None


class Failed(msgspec.Struct, frozen=True):
    """The condition did not hold: nothing is written. ``item`` is what is there; None for no item, or not known."""

    item: msgspec.Raw | None


def item_of(outcome: Outcome) -> msgspec.Raw | None:
    """The item that a failed write has found; None if it is not known."""
    return outcome.item if isinstance(outcome, Failed) else None


class Kept(msgspec.Struct, frozen=True):
    """The conflict would survive a loss of power."""


Request = Get | GetHub | Put | SetMarker | Delete | Keep
Outcome = Found | Written | Failed | Kept
# The steps of one key's part of the protocol; it returns what became of it.
Steps = Generator[Request, Outcome, T]
