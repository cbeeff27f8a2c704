"""Values as DynamoDB compares them: equal where DynamoDB finds them equal, whatever their notation. Pure.

A value is its type and its content, ``("N", Decimal("5"))``. The content of strings, numbers and binary values can be
ordered as DynamoDB orders it: strings by the bytes of their UTF-8, which is the order of their characters; numbers
exactly; binary values by their bytes.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from processor.dynamodb import attribute_values

# A type's name and a content that is equal to another one where DynamoDB finds them equal.
Value = tuple[str, Any]

TYPES = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M")


def value_of(attribute: Mapping[str, Any]) -> Value:
    """An item's attribute as a value.

    It is believed to come from DynamoDB: whatever can be compared is taken.

    :param attribute: DynamoDB JSON, decoded: ``{"N": "5"}``
    :raises ValueError, TypeError, KeyError, ArithmeticError, RecursionError: it is no DynamoDB JSON
    """
    ((kind, content),) = attribute.items()
    return kind, _CONTENT[kind](content)


def _string(content: str) -> str:
    if type(content) is not str:
        raise TypeError("a string is expected")
    return content


def _number(content: str) -> Decimal:
    number = Decimal(_string(content))
    if not number.is_finite():
        raise ValueError("a finite number is expected")
    return number


def _binary(content: str) -> bytes:
    return b64decode(content, validate=True)


def _boolean(content: object) -> bool:
    if type(content) is not bool:
        raise TypeError("true or false is expected")
    return content


_CONTENT: dict[str, Callable[[Any], Any]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": _boolean,
    "SS": lambda content: frozenset(map(_string, content)),
    "NS": lambda content: frozenset(map(_number, content)),
    "BS": lambda content: frozenset(map(_binary, content)),
    "L": lambda content: [value_of(each) for each in content],
    "M": lambda content: {name: value_of(each) for name, each in content.items()},
}


def size_of(value: Value) -> int | None:
    """What DynamoDB's ``size`` says of a value; None if its type has no size.

    A string's size is the number of its UTF-16 units, as in Java: characters past the first 65,536 count twice. AWS's
    documentation does not say so; DynamoDB Local does it, and users of DynamoDB itself have measured it.
    """
    kind, content = value
    if kind == "S" and not content.isascii():
        return len(content.encode("utf-16-le")) // 2
    return None if kind in {"N", "BOOL", "NULL"} else len(content)


def constant(given: Any) -> Value:
    """A value of the expression's own, which DynamoDB must take.

    :param given: DynamoDB JSON, decoded
    :raises InvalidValueError: DynamoDB would refuse it; the text says why, without the value
    """
    attribute_values.check(given)
    return value_of(given)
