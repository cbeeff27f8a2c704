"""Where two images differ."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from processor.commands.verify.diff import differences
from processor.settings.attribute_paths import parse, shown


def _raw(item: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(item).encode())


CASES: dict[str, tuple[Any, Any, list[tuple[str, str]]]] = {
    "equal but for order and notation": (
        {"n": {"N": "1.0"}, "s": {"SS": ["a", "b"]}},
        {"s": {"SS": ["b", "a"]}, "n": {"N": "1"}},
        [],
    ),
    "missing and extra": ({"a": {"S": "x"}}, {"b": {"S": "x"}}, [("a", "missing"), ("b", "extra")]),
    "another value": ({"a": {"S": "x"}}, {"a": {"S": "y"}}, [("a", "different")]),
    "another type": ({"a": {"N": "1"}}, {"a": {"S": "1"}}, [("a", "different")]),
    "deep": (
        {"a": {"M": {"b": {"L": [{"N": "1"}, {"M": {"c": {"S": "x"}, "d": {"S": "x"}}}]}}}},
        {"a": {"M": {"b": {"L": [{"N": "1"}, {"M": {"c": {"S": "y"}, "d": {"S": "x"}}}]}}}},
        [("a.b[1].c", "different")],
    ),
    "a longer list": ({"l": {"L": [{"N": "1"}, {"N": "2"}]}}, {"l": {"L": [{"N": "1"}]}}, [("l[1]", "missing")]),
    "a shorter list": ({"l": {"L": []}}, {"l": {"L": [{"N": "1"}]}}, [("l[0]", "extra")]),
    "a set as a whole": ({"s": {"NS": ["1", "2"]}}, {"s": {"NS": ["1", "3"]}}, [("s", "different")]),
    "a map and a list": ({"a": {"M": {}}}, {"a": {"L": []}}, [("a", "different")]),
}


@pytest.mark.parametrize("name", CASES)
def test_differences(name: str) -> None:
    """Each is named by its path, as deep as both have the same shape, and its kind."""
    source, destination, expected = CASES[name]
    found = differences(_raw(source), _raw(destination))
    assert expected == [(shown(each.path), each.kind) for each in found]


def test_values_are_as_the_tables_have_them() -> None:
    """Each side's own notation."""
    (found,) = differences(_raw({"a": {"N": "10"}}), _raw({"a": {"N": "2E1"}}))
    assert (found.source, found.destination) == ({"N": "10"}, {"N": "2E1"})


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][2]])
def test_ignored_paths_are_none(name: str) -> None:
    """Where everything that differs is ignored, nothing differs; nor where what is above it is."""
    source, destination, expected = CASES[name]
    ignored = parse(",".join(path for path, _ in expected))
    assert list(differences(_raw(source), _raw(destination), ignored=ignored)) == []
    roots = [path[:1] for path in ignored]
    assert list(differences(_raw(source), _raw(destination), ignored=roots)) == []
