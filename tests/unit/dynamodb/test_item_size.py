"""How large an item is for DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest

from processor.dynamodb.item_size import item_bytes

SIZES: list[tuple[dict[str, Any], int]] = [
    ({}, 0),
    ({"id": {"S": "abc"}}, 5),
    ({"ü": {"S": "ü"}}, 4),
    ({"n": {"N": "123"}}, 1 + 3),
    ({"n": {"N": "-1.50"}}, 1 + 3),
    ({"n": {"N": "1E100"}}, 1 + 2),
    ({"b": {"B": "AAAA"}}, 1 + 3),
    ({"b": {"B": "AA=="}}, 1 + 1),
    ({"t": {"BOOL": True}, "z": {"NULL": True}}, 4),
    ({"s": {"SS": ["ab", "c"]}}, 1 + 3),
    ({"l": {"L": [{"S": "ab"}, {"M": {"k": {"S": "v"}}}]}}, 1 + 3 + (1 + 2) + (1 + 3 + 1 + 1 + 1)),
]


@pytest.mark.parametrize(("item", "size"), SIZES)
def test_the_size_of_an_item(item: dict[str, Any], size: int) -> None:
    """Names and values, each kind by its own rule."""
    assert item_bytes(item) == size


def test_some_of_its_attributes() -> None:
    """As an index has them; what the item doesn't have takes nothing."""
    assert item_bytes({"id": {"S": "abc"}, "more": {"S": "x" * 100}}, ["id", "none"]) == 5
