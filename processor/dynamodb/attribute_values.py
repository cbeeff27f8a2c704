"""Whether DynamoDB would take a value, as DynamoDB JSON has it. Pure.

Source: developer guide, "Supported data types and naming rules", and API reference, AttributeValue. What is said of a
fault never has the value.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from processor.dynamodb.item_size import item_bytes
from processor.dynamodb.keys import normal_number

# "The maximum item size in DynamoDB is 400 KB" (developer guide, service quotas).
MOST_ITEM_BYTES = 400 * 1024
# "DynamoDB supports nested attributes up to 32 levels deep" (the same).
MOST_LEVELS = 32
# The largest positive number (developer guide, number type): 9.99...E+125, and the smallest is 1E-130.
_MOST_DIGITS, _LARGEST, _SMALLEST = 38, 125, -130


# Decimal takes more: underscores, white space, digits of other scripts.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class InvalidValueError(ValueError):
    """DynamoDB would not take a value; the text says why, and is a clause."""


def check_item(item: Any) -> None:
    """Check a whole item.

    :param item: ``{name: {type: value}}``
    :raises InvalidValueError: DynamoDB would refuse it
    """
    if not isinstance(item, dict):
        raise InvalidValueError(f"it is a {type(item).__name__} instead of a dict")
    for name, value in item.items():
        _check_name(name)
        check(value)
    size = item_bytes(item)
    if size > MOST_ITEM_BYTES:
        raise InvalidValueError(f"it has {size:,} bytes, more than an item's {MOST_ITEM_BYTES:,}")


def check(value: Any, *, level: int = 1) -> None:
    """Check one attribute value.

    :param value: ``{type: value}``
    :raises InvalidValueError: DynamoDB would refuse it
    """
    if not isinstance(value, dict) or len(value) != 1:
        raise InvalidValueError('an attribute\'s value is not of the form {"S": "text"}')
    if level > MOST_LEVELS:
        raise InvalidValueError(f"it is nested deeper than {MOST_LEVELS} levels")
    ((kind, content),) = value.items()
    if kind == "M":
        _check_map(content, level)
    elif kind == "L":
        _check_list(content, level)
    elif kind in _CHECKS:
        _CHECKS[kind](content)
    else:
        raise InvalidValueError("an attribute's type is none of DynamoDB's")


def _check_map(content: Any, level: int) -> None:
    if not isinstance(content, dict):
        raise InvalidValueError("an M is not a dict")
    for name, value in content.items():
        _check_name(name)
        check(value, level=level + 1)


def _check_list(content: Any, level: int) -> None:
    if not isinstance(content, list):
        raise InvalidValueError("an L is not a list")
    for value in content:
        check(value, level=level + 1)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name:
        raise InvalidValueError("an attribute's name is no text, or empty")
    _check_text(name)


def _check_text(content: Any) -> None:
    if not isinstance(content, str):
        raise InvalidValueError("an S is not a str")
    try:
        content.encode()
    except UnicodeEncodeError:
        raise InvalidValueError("a text has half of a character") from None


def _check_number(content: Any) -> None:
    if not isinstance(content, str):
        raise InvalidValueError("an N is not a str, as DynamoDB JSON has numbers")
    if not _NUMBER.fullmatch(content):
        raise InvalidValueError("an N is no number")
    try:
        number = Decimal(content)
        exact = len(number.normalize().as_tuple().digits) if len(content) <= _MOST_DIGITS else _digits(content)
    except (ArithmeticError, ValueError):
        raise InvalidValueError("an N is no number") from None
    if exact > _MOST_DIGITS or (number and not _SMALLEST <= number.adjusted() <= _LARGEST):
        raise InvalidValueError(f"an N has more than {_MOST_DIGITS} digits, or is too large or too small")


def _digits(content: str) -> int:
    return len(content.lower().partition("e")[0].lstrip("+-").replace(".", "").strip("0"))


def _check_binary(content: Any) -> None:
    if not isinstance(content, str):
        raise InvalidValueError("a B is not a str in base64")
    try:
        base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValueError("a B is not in base64") from None


def _check_boolean(content: Any) -> None:
    if not isinstance(content, bool):
        raise InvalidValueError("a BOOL is neither true nor false")


def _check_null(content: Any) -> None:
    if content is not True:
        raise InvalidValueError("a NULL is not true")


def _set_of(check_one: Callable[[Any], None], form: Callable[[str], str] = str) -> Callable[[Any], None]:
    def check_set(content: Any) -> None:
        if not isinstance(content, list) or not content:
            raise InvalidValueError("a set is no list, or empty")
        for each in content:
            check_one(each)
        if len(set(map(form, content))) != len(content):
            raise InvalidValueError("a set has a member twice")

    return check_set


_CHECKS: dict[Any, Callable[[Any], None]] = {
    "S": _check_text,
    "N": _check_number,
    "B": _check_binary,
    "BOOL": _check_boolean,
    "NULL": _check_null,
    "SS": _set_of(_check_text),
    "NS": _set_of(_check_number, normal_number),
    "BS": _set_of(_check_binary),
}
