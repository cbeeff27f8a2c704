"""What a write of a two-way task asks of the item that is there, as DynamoDB's conditions. Pure.

A marker that stands there may be anything (``marker.py``). A condition can't tell a marker from what only looks like
one, so a write that finds one in its way gets the item, and decides by that (``mirror.py``)::

    put of record 8       the item has ...          Older(8)     then
    ──────────────────────────────────────────────────────────────────────────────────────────
                          no such attribute         passes
                          a marker with 7           passes
                          a marker with 8 or more   fails        a newer write is there: nothing to do
                          "hello"                   passes       (a path into a text leads nowhere)
                          another key's marker, 9   fails        no marker: written on condition MarkerIs(that)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from processor.replication.two_way.marker import number_text
from processor.replication.unchanged import unchanged


class Older(msgspec.Struct, frozen=True):
    """There is no item, or it has no marker, or one of an older record."""

    sequence_number: int

    def members(self, name: str, key_names: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002  # one of several
        """The members of a request that have this condition.

        :param name: the marker's attribute
        :param key_names: the table's
        """
        return {
            "ConditionExpression": "attribute_not_exists(#m.#s) OR #m.#s < :s",
            "ExpressionAttributeNames": {"#m": name, "#s": "s"},
            "ExpressionAttributeValues": {":s": {"S": number_text(self.sequence_number)}},
        }


class Deletable(msgspec.Struct, frozen=True):
    """There is an item, and it has no marker, or one of an older record, or is marked for deletion by this one."""

    sequence_number: int

    def members(self, name: str, key_names: Sequence[str]) -> dict[str, Any]:
        """As ``Older`` has it."""
        return {
            "ConditionExpression": (
                "attribute_exists(#key) AND (attribute_not_exists(#m.#s) OR #m.#s < :s OR (#m.#s = :s AND #m.#k = :k))"
            ),
            "ExpressionAttributeNames": {"#m": name, "#s": "s", "#k": "k", "#key": key_names[0]},
            "ExpressionAttributeValues": {":s": {"S": number_text(self.sequence_number)}, ":k": {"S": "del"}},
        }


class MarkerIs(msgspec.Struct, frozen=True):
    """The attribute holds just this, whatever else the item has. None: it has no such attribute.

    Without ``has_item``, None holds where there is no item, too.
    """

    stored: msgspec.Raw | None
    has_item: bool = False

    def members(self, name: str, key_names: Sequence[str]) -> dict[str, Any]:
        """As ``Older`` has it."""
        if self.stored is None and self.has_item:
            return {
                "ConditionExpression": "attribute_exists(#key) AND attribute_not_exists(#m)",
                "ExpressionAttributeNames": {"#m": name, "#key": key_names[0]},
            }
        if self.stored is None:
            return {"ConditionExpression": "attribute_not_exists(#m)", "ExpressionAttributeNames": {"#m": name}}
        return {
            "ConditionExpression": "#m = :m",
            "ExpressionAttributeNames": {"#m": name},
            "ExpressionAttributeValues": {":m": self.stored},
        }


class Unchanged(msgspec.Struct, frozen=True):
    """The item still has each attribute that was read of it; it may have got others. None: there still is no item."""

    item: msgspec.Raw | None

    def members(self, name: str, key_names: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002  # one of several
        """As ``Older`` has it."""
        return unchanged(self.item, key_names)


Condition = Older | Deletable | MarkerIs | Unchanged
