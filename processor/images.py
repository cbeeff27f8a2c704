"""Whether two images hold the same item, however they are written down.

Pure. For comparing only: what is written to a table are always the bytes that were read from the other one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from processor.records import normal_number

_decoder = msgspec.json.Decoder(dict[str, dict[str, Any]])


def same(one: msgspec.Raw | None, other: msgspec.Raw | None) -> bool:
    """Whether both are the same item, or both are none.

    :param one: DynamoDB JSON, ``{name: {type: value}}``; None where there is no item
    :raises ValueError: one of them is no DynamoDB JSON
    """
    if one is None or other is None:
        return one is other
    return bytes(one) == bytes(other) or canonical(one) == canonical(other)


def canonical(image: msgspec.Raw) -> bytes:
    """Bytes that are equal for equal items: no order of attributes or set members, one notation of each number.

    :raises ValueError: it is no DynamoDB JSON
    """
    try:
        return msgspec.json.encode(_attributes(_decoder.decode(image)), order="sorted")
    except (msgspec.DecodeError, ArithmeticError, AttributeError, TypeError, ValueError) as exc:
        message = f"an item that is no DynamoDB JSON ({type(exc).__name__})"
        raise ValueError(message) from exc


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in attributes.items()}


def _value(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "M":
        content = _attributes(content)
    elif kind == "L":
        content = [_value(each) for each in content]
    elif kind == "N":
        content = normal_number(content)
    elif kind == "NS":
        content = sorted(normal_number(each) for each in content)
    elif kind in ("SS", "BS"):
        content = sorted(content)
    return {kind: content}
