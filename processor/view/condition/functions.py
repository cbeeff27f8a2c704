"""The functions of condition expressions: which operands DynamoDB lets them have, what they say of items. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from processor.view.condition import predicates
from processor.view.condition.condition_error import ConditionError
from processor.view.condition.operands import Operand, of_size
from processor.view.condition.predicates import Predicate
from processor.view.condition.tokens import Token
from processor.view.condition.values import TYPES

# Each function, and how many operands it has.
FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}


def known(function: Token) -> str:
    """The function's name.

    :raises ConditionError: DynamoDB has no such function
    """
    name = function.text
    if name in FUNCTIONS:
        return name
    hint = "functions are written in lower case" if name.lower() in FUNCTIONS else f"there are {', '.join(FUNCTIONS)}"
    raise ConditionError(f"there is no function {name!r}: {hint}", function.position)


def check_distinct(name: str, operands: Sequence[Operand]) -> None:
    """Refuse an operator or function whose first operand stands among the others, too.

    :raises ConditionError: both are the same document path
    """
    first, *rest = operands
    for other in rest:
        if first.path is not None and first.path == other.path:
            raise ConditionError(f"the operands of {name} must be different attributes", other.position)


def check_type(name: str, operands: Sequence[Operand], allowed: frozenset[str]) -> None:
    """Refuse an operand whose type is known without an item, and isn't one of those.

    :raises ConditionError: it is of another type
    """
    for operand in operands:
        if operand.kind is not None and operand.kind not in allowed:
            raise ConditionError(f"{name} doesn't take a value of type {operand.kind}", operand.position)


def size(function: Token, operands: Sequence[Operand]) -> Operand:
    """``size(operand)``, an operand itself.

    :raises ConditionError: DynamoDB would refuse it
    """
    _check_number("size", function, operands)
    check_type("size", operands, frozenset(TYPES) - {"N", "BOOL", "NULL"})
    return of_size(operands[0], function.position)


def condition(function: Token, operands: Sequence[Operand]) -> Predicate:
    """The condition that any other function is.

    :raises ConditionError: DynamoDB would refuse it
    """
    name = function.text
    _check_number(name, function, operands)
    check_distinct(name, operands)
    first, last = operands[0], operands[-1]
    if name == "attribute_type":
        return predicates.has_type(first, _type_name(last))
    if name == "begins_with":
        check_type(name, operands, frozenset({"S", "B"}))
        return predicates.begins_with(first, last)
    if name == "contains":
        return predicates.contains(first, last)
    if first.path is None:
        raise ConditionError(f"{name} takes the path of an attribute", first.position)
    found = predicates.exists(first)
    return found if name == "attribute_exists" else predicates.negated(found)


def _check_number(name: str, function: Token, operands: Sequence[Operand]) -> None:
    if len(operands) != FUNCTIONS[name]:
        plural = "" if FUNCTIONS[name] == 1 else "s"
        raise ConditionError(f"{name} takes {FUNCTIONS[name]} operand{plural}, not {len(operands)}", function.position)


def _type_name(operand: Operand) -> str:
    """The type's name that ``attribute_type`` is given."""
    if operand.constant is None or operand.kind != "S":
        raise ConditionError("attribute_type takes a :value of type S as its second operand", operand.position)
    name = operand.constant[1]
    if name not in TYPES:
        raise ConditionError(f"attribute_type knows the types {', '.join(TYPES)}", operand.position)
    return str(name)
