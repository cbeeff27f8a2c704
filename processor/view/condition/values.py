"""Values as DynamoDB compares them: equal where DynamoDB finds them equal, whatever their notation. Pure.

A value is its type and its content, ``("N", Decimal("5"))``. The content of strings, numbers and binary values can be
ordered as DynamoDB orders it: strings by the bytes of their UTF-8, which is the order of their characters; numbers
exactly; binary values by their bytes.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

# A type's name and a content that is equal to another one where DynamoDB finds them equal.
Value = tuple[str, Any]

TYPES = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M")
# "Data types" in the Developer Guide: digits of a number, the powers of ten that it may have, and levels of documents.
_MOST_DIGITS = 38
_EXPONENTS = range(-130, 126)
MOST_LEVELS = 32
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")


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

    A string's size is the number of its UTF-16 units, as in Java: characters past the first 65,536 count twice.
    """
    kind, content = value
    if kind == "S" and not content.isascii():
        return len(content.encode("utf-16-le")) // 2
    return None if kind in {"N", "BOOL", "NULL"} else len(content)


def constant(given: object) -> Value:
    """A value of the expression's own, which DynamoDB must take.

    :param given: DynamoDB JSON, decoded
    :raises ValueError: DynamoDB would refuse it; the text says why, without the value
    """
    _check(given, 0)
    return value_of(given)  # type: ignore[arg-type]  # that was checked


def _check(given: object, levels: int) -> None:
    """Refuse what DynamoDB would.

    :raises ValueError: it says why
    """
    if not isinstance(given, Mapping) or len(given) != 1 or next(iter(given)) not in TYPES:
        raise ValueError(f'it is no DynamoDB JSON: one type ({", ".join(TYPES)}) and its content, {{"S": "x"}}')
    ((kind, content),) = given.items()
    if kind in {"L", "M"}:
        _check_document(kind, content, levels + 1)
    elif kind in {"SS", "NS", "BS"}:
        _check_set(kind, content)
    elif kind in {"BOOL", "NULL"}:
        if content is not True and (kind == "NULL" or content is not False):
            raise ValueError(f"{kind} must be true" + (" or false" if kind == "BOOL" else ""))
    else:
        _check_scalar(kind, content)


def _check_document(kind: str, content: object, levels: int) -> None:
    if levels > MOST_LEVELS:
        raise ValueError(f"it has more than {MOST_LEVELS} levels of lists and maps")
    if not isinstance(content, list if kind == "L" else Mapping):
        raise ValueError(f"{kind} must be a JSON {'array' if kind == 'L' else 'object'}")  # noqa: TRY004  # as all of them
    if isinstance(content, Mapping) and not all(isinstance(name, str) and name for name in content):
        raise ValueError("an attribute's name in it is empty")
    for each in content.values() if isinstance(content, Mapping) else content:
        _check(each, levels)


def _check_set(kind: str, content: object) -> None:
    if not isinstance(content, list) or not content:
        raise ValueError(f"{kind} must be a JSON array of at least one string")
    for each in content:
        _check_scalar(kind[0], each)
    if len(_CONTENT[kind](content)) != len(content):
        raise ValueError(f"{kind} must not hold a value twice")


def _check_scalar(kind: str, content: object) -> None:
    if not isinstance(content, str):
        raise ValueError(f"{kind} must be a JSON string")  # noqa: TRY004  # as all of them
    if kind == "N":
        _check_number(content)
    elif kind == "B":
        try:
            _binary(content)
        except ValueError as exc:
            raise ValueError("B must be base64") from exc


def _check_number(content: str) -> None:
    if not _NUMBER.fullmatch(content):
        raise ValueError("N must be a number, written as a string")
    number = Decimal(content)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > _MOST_DIGITS or (digits and number.adjusted() not in _EXPONENTS):
        raise ValueError(
            f"N must have at most {_MOST_DIGITS} digits, and a magnitude from 1E{_EXPONENTS[0]} to 1E{_EXPONENTS[-1]}"
        )
