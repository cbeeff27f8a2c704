"""Paths as people write them, and what they take out of an item."""

from __future__ import annotations

from typing import Any

import pytest

from processor.dynamodb.item_paths import in_order, remove, replace
from processor.settings.attribute_paths import Path, parse, shown

WRITTEN: dict[str, list[Path]] = {
    "a": [("a",)],
    "a.b[3].c": [("a", "b", 3, "c")],
    "a[0][1]": [("a", 0, 1)],
    "a, b.c": [("a",), ("b", "c")],
    r"a\.b.c\[0\,": [("a.b", "c[0,")],
    r"a\\,b": [("a\\",), ("b",)],
    "_replicated-number 1": [("_replicated-number 1",)],
}


@pytest.mark.parametrize("text", WRITTEN)
def test_paths_are_read_and_shown(text: str) -> None:
    """What is shown is read as the same path."""
    found = parse(text)
    assert WRITTEN[text] == found
    assert found == parse(",".join(map(shown, found)))


@pytest.mark.parametrize("text", ["", ",", "a..b", "a.", ".a", "[0]", "a[x]", "a[0", "a[0]b", "a\\"])
def test_what_is_no_path_is_refused(text: str) -> None:
    """The message names it."""
    with pytest.raises(ValueError, match="is no attribute path"):
        parse(text)


REMOVALS: dict[str, tuple[Any, Any]] = {
    "a": ({"a": {"S": "x"}, "b": {"S": "y"}}, {"b": {"S": "y"}}),
    "a.b": ({"a": {"M": {"b": {"S": "x"}, "c": {"S": "y"}}}}, {"a": {"M": {"c": {"S": "y"}}}}),
    "a[0],a[2]": ({"a": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}]}}, {"a": {"L": [{"S": "1"}]}}),
    "a[1],a[1].b": ({"a": {"L": [{"S": "0"}, {"M": {"b": {"S": "x"}}}]}}, {"a": {"L": [{"S": "0"}]}}),
    "a.b,c[0].d,e[7]": (
        {"a": {"S": "b"}, "c": {"L": []}, "e": {"M": {}}},
        {"a": {"S": "b"}, "c": {"L": []}, "e": {"M": {}}},
    ),
    "a.S": ({"a": {"S": "x"}}, {"a": {"S": "x"}}),
    "a[0]": ({"a": {"SS": ["x"]}}, {"a": {"SS": ["x"]}}),
}


@pytest.mark.parametrize("text", REMOVALS)
def test_removal(text: str) -> None:
    """What stands at the paths goes, and nothing else; what is of another shape stays."""
    attributes, left = REMOVALS[text]
    remove(attributes, in_order(parse(text)))
    assert left == attributes


REPLACEMENTS: dict[str, tuple[Any, Any]] = {
    "a": ({"a": {"S": "x"}}, {"a": {"made": {"S": "x"}}}),
    "a.b[1]": ({"a": {"M": {"b": {"L": [1, 2]}}}}, {"a": {"M": {"b": {"L": [1, {"made": 2}]}}}}),
    "a.c": ({"a": {"M": {"b": {"S": "x"}}}}, {"a": {"M": {"b": {"S": "x"}}}}),
    "c.b": ({"a": {"S": "x"}}, {"a": {"S": "x"}}),
}


@pytest.mark.parametrize("text", REPLACEMENTS)
def test_replacement(text: str) -> None:
    """The value at the path alone; where there is none, nothing."""
    attributes, left = REPLACEMENTS[text]
    for path in parse(text):
        replace(attributes, path, lambda value: {"made": value})
    assert left == attributes
