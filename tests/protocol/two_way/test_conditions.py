"""Conditions of two-way's writes, asked of DynamoDB Local, and of the tables in memory that the model is checked on."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from processor.replication.two_way.conditions import Condition, Deletable, MarkerIs, Older, Unchanged
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import Stamp
from tests.conftest import Tables
from tests.model import memory
from tests.model.memory import IDENTITY, NAME

_KEY = {"id": {"S": "k"}}
_MARKERS = Markers(NAME)


def _marker(number: int, kind: str = "put") -> Any:
    stamp = Stamp(5, b"nonce!")
    put = _MARKERS.put(msgspec.Raw(msgspec.json.encode(_KEY)), IDENTITY, sequence_number=number, stamp=stamp)
    marker = _MARKERS.deleting(IDENTITY, sequence_number=number, stamp=stamp)
    return msgspec.json.decode(put)[NAME] if kind == "put" else msgspec.json.decode(marker.stored)


# Whatever may stand in the attribute; None for nothing.
STORED: dict[str, Any] = {
    "nothing": None,
    "6": _marker(6),
    "7": _marker(7),
    "8": _marker(8),
    "10": _marker(10),
    "7, to be deleted": _marker(7, "del"),
    "8, to be deleted": _marker(8, "del"),
    "a text": {"S": "mine"},
    "a number": {"N": "9"},
    "null": {"NULL": True},
    "a list": {"L": [{"S": "s"}]},
    "an empty map": {"M": {}},
    "a number as s": {"M": {"s": {"N": "1"}}},
    "a map as s": {"M": {"s": {"M": {}}}},
    "no digits": {"M": {"s": {"S": "z" * 40}}},
}
CONDITIONS: dict[str, Condition] = {
    "older than 7": Older(7),
    "older than 10": Older(10),
    "deletable by 7": Deletable(7),
    "no marker": MarkerIs(None),
    "an item without a marker": MarkerIs(None, has_item=True),
    **{
        f"just {name}": MarkerIs(msgspec.Raw(msgspec.json.encode(STORED[name])), has_item=has_item)
        for name, has_item in itertools.product(("7", "a text", "null", "an empty map"), (False, True))
    },
    "still no item": Unchanged(None),
    "still an item with 7": Unchanged(msgspec.Raw(msgspec.json.encode({**_KEY, NAME: STORED["7"]}))),
}


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_conditions_mean_what_the_model_takes_them_for(condition: Condition, tables: Tables) -> None:
    """Of no item, and of items with any content of the attribute."""
    table = tables.create()
    found, expected = {}, {}
    for name, stored in {"no item": None, **STORED}.items():
        item = None if name == "no item" else _KEY | ({} if stored is None else {NAME: stored})
        tables.call("DeleteItem", TableName=table, Key=_KEY)
        if item is not None:
            tables.put(table, item)
        found[name] = _passes(tables, table, condition)
        expected[name] = memory.holds(condition, memory.numbered(item))
    assert found == expected


def _passes(tables: Tables, table: str, condition: Condition) -> bool:
    members = msgspec.json.decode(msgspec.json.encode(condition.members(NAME, ["id"])))
    try:
        tables.call("PutItem", TableName=table, Item=_KEY, **members)
    except AssertionError as exc:
        if "ConditionalCheckFailedException" not in str(exc):
            raise
        return False
    return True
