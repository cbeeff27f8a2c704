"""A table of one key, in memory: what its item becomes by a request, and what the request hears.

Items are kept once each, and stand for themselves as numbers: states of a model are compared and hashed by the million.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec

from processor.dynamodb.keys import identity_of
from processor.replication.two_way.conditions import Condition, Deletable, MarkerIs, Older, Unchanged
from processor.replication.two_way.requests import (
    Delete,
    Failed,
    Found,
    Get,
    GetHub,
    Keep,
    Kept,
    Outcome,
    Put,
    Request,
    SetMarker,
    Written,
)

NAME = "_replication"
KEY = msgspec.Raw(b'{"id":{"S":"k"}}')
IDENTITY = identity_of(KEY)
OTHER_IDENTITY = identity_of(msgspec.Raw(b'{"id":{"S":"other"}}'))

# An item, by its number; None for none.
Item = int | None

_items: list[bytes] = []
_numbers: dict[bytes, int] = {}


class Answer(NamedTuple):
    """What a request hears, in a form that is quickly compared."""

    kind: Literal["found", "written", "failed", "kept"]
    item: Item = None


def numbered(item: Any) -> Item:
    """The number of an item, given as ``{name: {type: value}}``, as DynamoDB JSON, or None."""
    if item is None:
        return None
    decoded = json.loads(bytes(item)) if isinstance(item, msgspec.Raw) else item
    content = json.dumps(decoded, sort_keys=True).encode()
    if content not in _numbers:
        _numbers[content] = len(_items)
        _items.append(content)
    return _numbers[content]


@cache
def raw(item: Item) -> msgspec.Raw | None:
    """The item as DynamoDB JSON."""
    return None if item is None else msgspec.Raw(_items[item])


@cache
def attributes(item: int) -> Any:
    """The item as ``{name: {type: value}}``; nobody changes it."""
    return json.loads(_items[item])


@cache
def marker_of(item: Item) -> Any:
    """Whatever the item has in the marker's attribute; None for nothing."""
    return None if item is None else attributes(item).get(NAME)


@cache
def content_of(item: Item) -> Item:
    """The item without that."""
    return None if item is None else numbered({name: value for name, value in attributes(item).items() if name != NAME})


def value_item(value: int, **more: Any) -> Item:
    """An item of the key, with a value of an application's."""
    return numbered({**json.loads(bytes(KEY)), "v": {"N": str(value)}, **more})


def with_marker(item: Item, marker: Any) -> Item:
    """The item, with that in the marker's attribute."""
    assert item is not None
    return numbered({**attributes(item), NAME: marker})


def outcome_of(answer: Answer) -> Outcome:
    """As the protocol's parts hear it."""
    kind, item = answer
    if kind == "kept":
        return Kept()
    return {"found": Found, "written": Written, "failed": Failed}[kind](raw(item))


def answered(item: Item, request: Request) -> tuple[Item, Answer]:
    """What becomes of the table's item by a request, and what the request hears."""
    if isinstance(request, Keep):
        return item, Answer("kept")
    if isinstance(request, (Get, GetHub)):
        return item, Answer("found", item)
    if not holds(request.condition, item):
        return item, Answer("failed", item)
    if isinstance(request, Delete):
        return None, Answer("written", item)
    if isinstance(request, SetMarker):
        old = json.loads(bytes(KEY)) if item is None else attributes(item)
        return numbered({**old, NAME: json.loads(bytes(request.marker.stored))}), Answer("written")
    assert isinstance(request, Put)
    return numbered(request.item), Answer("written", item)


def holds(condition: Condition, item: Item) -> bool:
    """As DynamoDB evaluates the expressions of ``conditions.py``; a protocol test compares the two."""
    marker = marker_of(item)
    fields = marker.get("M", {}) if isinstance(marker, dict) else {}
    number = fields.get("s")
    match condition:
        case Older(asked):
            return number is None or _is_lower(number, asked)
        case Deletable(asked):
            is_marked = number == {"S": str(asked).zfill(40)} and fields.get("k") == {"S": "del"}
            return item is not None and (number is None or _is_lower(number, asked) or is_marked)
        case MarkerIs(stored, has_item):
            wanted = None if stored is None else json.loads(bytes(stored))
            return marker == wanted and not (has_item and item is None)
        case Unchanged(there):
            if there is None or item is None:
                return there is None and item is None
            found = attributes(item)
            return all(found.get(name) == value for name, value in json.loads(bytes(there)).items())
    raise AssertionError(condition)


def _is_lower(number: dict[str, str], asked: int) -> bool:
    return "S" in number and number["S"] < str(asked).zfill(40)
