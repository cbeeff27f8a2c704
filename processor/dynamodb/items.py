"""Compares two images of an item by value, whatever their notation.

Pure. Only for comparing: what is written to a table is always the bytes that were read from the other one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from processor.dynamodb.keys import normal_number
from processor.errors import MalformedItemError
from processor.flow import shapes

# What decoding raises for JSON of another shape, and what follows from a value that is no number, map or list.
_MALFORMED = (msgspec.DecodeError, ArithmeticError, AttributeError, RecursionError, TypeError, ValueError)
_decoder = shapes.decoder(dict[str, dict[str, Any]])


def same(one: msgspec.Raw | None, other: msgspec.Raw | None) -> bool:
    """Whether both are the same item, or both None.

    :param one: DynamoDB JSON, ``{name: {type: value}}``, or None for no item
    :raises MalformedItemError: one of them is not DynamoDB JSON
    """
    if one is None or other is None:
        return one is other
    return bytes(one) == bytes(other) or canonical(one) == canonical(other)


def canonical(image: msgspec.Raw) -> bytes:
    """Bytes that are equal for equal items: attributes and set members sorted, numbers in one notation.

    :raises MalformedItemError: it is no DynamoDB JSON
    """
    return encoded(normalized(image))


def encoded(attributes: dict[str, Any]) -> bytes:
    """``canonical`` of what ``normalized`` returned, or of parts of it."""
    return msgspec.json.encode(attributes, order="sorted")


def normalized(image: msgspec.Raw) -> dict[str, Any]:
    """The attributes, each in its canonical form; only the order of names stays as it was.

    :raises MalformedItemError: it is no DynamoDB JSON
    """
    try:
        return _attributes(_decoder.decode(image))
    except _MALFORMED as exc:
        raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc


def canonical_attributes(attributes: dict[str, dict[str, Any]]) -> bytes:
    """``canonical`` of an item that ``parsed`` has decoded, or of some of its attributes.

    :raises MalformedItemError: one of them is no DynamoDB JSON
    """
    try:
        return encoded(_attributes(attributes))
    except _MALFORMED as exc:
        raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc


def parsed(image: msgspec.Raw) -> dict[str, dict[str, Any]]:
    """The attributes in the notation they came in.

    :raises MalformedItemError: it is no DynamoDB JSON
    """
    try:
        return _decoder.decode(image)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc


def same_value(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both are the same attribute value, as ``parsed`` has them."""
    return one == other or _value(one) == _value(other)


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in attributes.items()}


def _value(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    normal = _NORMAL.get(kind)
    return value if normal is None else {kind: normal(content)}


_NORMAL: dict[str, Callable[[Any], Any]] = {
    "M": _attributes,
    "L": lambda content: [_value(each) for each in content],
    "N": normal_number,
    "NS": lambda content: sorted(map(normal_number, content)),
    "SS": sorted,
    "BS": sorted,
}
