"""What DynamoDB takes for a value."""

from __future__ import annotations

from typing import Any

import pytest

from processor.dynamodb.attribute_values import InvalidValueError, check, check_item

TAKEN: list[Any] = [
    {"S": ""},
    {"S": "é\x00"},
    {"N": "0"},
    {"N": "-1.50"},
    {"N": "1E+2"},
    {"N": "9." + "9" * 37 + "E+125"},
    {"N": "1E-130"},
    {"N": "0" * 50 + "1"},
    {"B": ""},
    {"B": "YQ=="},
    {"BOOL": False},
    {"NULL": True},
    {"SS": [""]},
    {"NS": ["1", "2"]},
    {"BS": ["YQ==", "Yg=="]},
    {"L": []},
    {"M": {}},
    {"M": {"a": {"L": [{"SS": ["x"]}]}}},
]
REFUSED: list[Any] = [
    None,
    {},
    "x",
    {"S": 1},
    {"S": "x", "N": "1"},
    {"N": ""},
    {"N": "1e"},
    {"N": "0x1"},
    {"N": "1_000"},
    {"N": " 1"},
    {"N": "\u0661"},
    {"N": "Infinity"},
    {"N": "1" * 39},
    {"N": "1E126"},
    {"N": "1E-131"},
    {"B": "?"},
    {"B": "YQ"},
    {"BOOL": "true"},
    {"NULL": False},
    {"SS": []},
    {"SS": ["a", "a"]},
    {"NS": ["1", "1.0"]},
    {"NS": [1]},
    {"L": {}},
    {"L": ["x"]},
    {"M": {"": {"S": "x"}}},
    {"M": {1: {"S": "x"}}},
    {"s": "x"},
]


@pytest.mark.parametrize("value", TAKEN, ids=str)
def test_what_is_taken(value: Any) -> None:
    """Of each type."""
    check(value)
    check_item({"id": {"S": "a"}, "v": value})


@pytest.mark.parametrize("value", REFUSED, ids=str)
def test_what_is_refused(value: Any) -> None:
    """With a reason that never has the value."""
    with pytest.raises(InvalidValueError):
        check(value)
    with pytest.raises(InvalidValueError):
        check_item({"id": {"S": "a"}, "v": value})
