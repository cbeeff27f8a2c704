"""What a condition expression asks of its operands: comparisons, functions, and how they are joined. Pure.

Each function makes a predicate of items. A missing attribute makes a comparison and a function false, ``<>`` and
``attribute_not_exists`` true. Values of different types are unequal, and neither is less than the other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from processor.view.condition.operands import Item, Operand
from processor.view.condition.values import Value

Predicate = Callable[[Item], bool]
_ORDERED = frozenset({"S", "N", "B"})
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# The members of a set are of this type.
_MEMBERS = {"SS": "S", "NS": "N", "BS": "B"}


def compared(sign: str, left: Operand, right: Operand) -> Predicate:
    """``left = right``, or another of the six comparisons."""
    one, other = left.get, right.get
    if sign == "=":
        return lambda item: (value := one(item)) is not None and value == other(item)
    if sign == "<>":
        return lambda item: (value := one(item)) is None or value != other(item)
    order = _ORDERS[sign]

    def ordered(item: Item) -> bool:
        a, b = one(item), other(item)
        return a is not None and b is not None and a[0] == b[0] and a[0] in _ORDERED and order(a[1], b[1])

    return ordered


def between(tested: Operand, low: Operand, high: Operand) -> Predicate:
    """``tested BETWEEN low AND high``, both of them included."""
    one, least, most = tested.get, low.get, high.get

    def inside(item: Item) -> bool:
        value, a, b = one(item), least(item), most(item)
        if value is None or a is None or b is None:
            return False
        return a[0] == value[0] == b[0] and value[0] in _ORDERED and bool(a[1] <= value[1] <= b[1])

    return inside


def one_of(tested: Operand, choices: Sequence[Operand]) -> Predicate:
    """``tested IN (choices)``."""
    one, others = tested.get, [choice.get for choice in choices]

    def member(item: Item) -> bool:
        value = one(item)
        return value is not None and any(value == other(item) for other in others)

    return member


def exists(path: Operand) -> Predicate:
    """``attribute_exists(path)``."""
    if path.path is not None and len(path.path) == 1:
        name = str(path.path[0])
        return lambda item: name in item
    get = path.get
    return lambda item: get(item) is not None


def has_type(tested: Operand, kind: str) -> Predicate:
    """``attribute_type(tested, kind)``."""
    get = tested.get
    return lambda item: (value := get(item)) is not None and value[0] == kind


def begins_with(tested: Operand, start: Operand) -> Predicate:
    """``begins_with(tested, start)``, of strings and binary values."""
    one, other = tested.get, start.get

    def begins(item: Item) -> bool:
        a, b = one(item), other(item)
        return a is not None and b is not None and a[0] == b[0] and a[0] in {"S", "B"} and a[1].startswith(b[1])

    return begins


def contains(container: Operand, content: Operand) -> Predicate:
    """``contains(container, content)``: a part of a string or binary value, or a member of a set or list."""
    one, other = container.get, content.get

    def contained(item: Item) -> bool:
        a, b = one(item), other(item)
        return a is not None and b is not None and _contains(a, b)

    return contained


def _contains(container: Value, content: Value) -> bool:
    kind, inside = container
    if kind == "L":
        return content in inside
    return _MEMBERS.get(kind, kind) == content[0] and kind in {"S", "B", *_MEMBERS} and content[1] in inside


def negated(predicate: Predicate) -> Predicate:
    """``NOT predicate``."""
    return lambda item: not predicate(item)


def all_of(predicates: Sequence[Predicate]) -> Predicate:
    """Joined by ``AND``."""
    if len(predicates) == 1:
        return predicates[0]

    def every(item: Item) -> bool:
        for predicate in predicates:  # noqa: SIM110  # all() would make a generator for each record
            if not predicate(item):
                return False
        return True

    return every


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """Joined by ``OR``."""
    if len(predicates) == 1:
        return predicates[0]

    def some(item: Item) -> bool:
        for predicate in predicates:  # noqa: SIM110  # any() would make a generator for each record
            if predicate(item):
                return True
        return False

    return some
