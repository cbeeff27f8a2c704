"""Computes an item's size as DynamoDB does to count capacity units. Pure.

Source: developer guide, "DynamoDB item sizes and formats". Numbers are right within a byte or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

_LIST_OR_MAP_BYTES = 3
_ELEMENT_BYTES = 1


def item_bytes(attributes: dict[str, dict[str, Any]], names: Iterable[str] | None = None) -> int:
    """The size of an item, or of some of its attributes.

    :param attributes: ``{name: {type: value}}``, as DynamoDB JSON has it
    :param names: the attributes to count; without it, all
    """
    kept = attributes if names is None else {name: attributes[name] for name in names if name in attributes}
    return sum(len(name.encode()) + _value_bytes(value) for name, value in kept.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    return _BYTES_OF[kind](content) if kind in _BYTES_OF else 1  # BOOL, NULL


def _number_bytes(text: str) -> int:
    digits = text.lower().partition("e")[0].lstrip("+-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")


def _binary_bytes(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")


def _set_of(kind: str) -> Callable[[Any], int]:
    return lambda content: sum(map(_BYTES_OF[kind], content))


def _list_bytes(content: list[Any]) -> int:
    return _LIST_OR_MAP_BYTES + sum(_ELEMENT_BYTES + _value_bytes(each) for each in content)


def _map_bytes(content: dict[str, Any]) -> int:
    return _LIST_OR_MAP_BYTES + len(content) * _ELEMENT_BYTES + item_bytes(content)


_BYTES_OF: dict[str, Callable[[Any], int]] = {
    "S": lambda content: len(content.encode()),
    "N": _number_bytes,
    "B": _binary_bytes,
    "SS": _set_of("S"),
    "NS": _set_of("N"),
    "BS": _set_of("B"),
    "L": _list_bytes,
    "M": _map_bytes,
}
