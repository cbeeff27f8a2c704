"""When two images are one item."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from processor.dynamodb.items import canonical, parsed, same
from processor.dynamodb.keys import key_reader
from processor.errors import MalformedItemError

BASE = {"id": {"S": "k"}, "n": {"N": "1"}}
EQUAL: dict[str, tuple[Any, Any]] = {
    "order of attributes": (BASE, dict(reversed(BASE.items()))),
    "order of a string set": ({"s": {"SS": ["b", "a"]}}, {"s": {"SS": ["a", "b"]}}),
    "order of a binary set": ({"s": {"BS": ["/w==", "AA=="]}}, {"s": {"BS": ["AA==", "/w=="]}}),
    "order and notation in a number set": ({"s": {"NS": ["10", "2.0"]}}, {"s": {"NS": ["2", "1E1"]}}),
    "notation of a number": ({"n": {"N": "1.50"}}, {"n": {"N": "15E-1"}}),
    "within maps and lists": (
        {"m": {"M": {"a": {"L": [{"SS": ["x", "y"]}]}, "b": {"NULL": True}}}},
        {"m": {"M": {"b": {"NULL": True}, "a": {"L": [{"SS": ["y", "x"]}]}}}},
    ),
}
DIFFERENT: dict[str, tuple[Any, Any]] = {
    "another value": ({"n": {"N": "1"}}, {"n": {"N": "2"}}),
    "the last of 38 digits": ({"n": {"N": "1" * 38}}, {"n": {"N": "1" * 37 + "2"}}),
    "another type": ({"n": {"N": "1"}}, {"n": {"S": "1"}}),
    "order of a list": ({"l": {"L": [{"N": "1"}, {"N": "2"}]}}, {"l": {"L": [{"N": "2"}, {"N": "1"}]}}),
    "an attribute more": (BASE, {**BASE, "more": {"NULL": True}}),
    "a string that looks like a number": ({"s": {"S": "1.0"}}, {"s": {"S": "1"}}),
    "an attribute that is named like a type": ({"m": {"M": {"N": {"S": "1.0"}}}}, {"m": {"M": {"N": {"S": "1"}}}}),
    "no item": (BASE, None),
}


def _raw(item: Any) -> msgspec.Raw | None:
    return None if item is None else msgspec.Raw(json.dumps(item).encode())


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_one_item_in_two_notations(one: Any, other: Any) -> None:
    """Sets and attributes have no order, and a number has one value."""
    assert same(_raw(one), _raw(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_two_items(one: Any, other: Any) -> None:
    """Everything else is a difference."""
    assert not same(_raw(one), _raw(other))
    assert not same(_raw(other), _raw(one))


def test_no_item_is_no_item() -> None:
    """Both tables may be without it."""
    assert same(None, None)


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"a":1}', b'{"a":{}}', b'{"a":{"N":"x"}}', b'{"a":{"L":3}}'])
def test_what_is_no_item_is_an_error(broken: bytes) -> None:
    """Nothing is compared that is no DynamoDB JSON."""
    with pytest.raises(ValueError, match="no DynamoDB JSON"):
        canonical(msgspec.Raw(broken))


@pytest.mark.parametrize("read", [parsed, canonical, key_reader(['an "id"'])])
def test_bytes_that_are_no_text(read: Callable[[msgspec.Raw], object]) -> None:
    """They are no item, by the same error as all that is none."""
    with pytest.raises(MalformedItemError):
        read(msgspec.Raw(b'{"id":{"S":"a"},"i\xa8":{"S":"a"}}'))
