"""Reads a condition expression, and makes the predicate that it states. Pure.

Text of any depth is read by loops: what is open is kept in a list, never on Python's stack, which hostile text could
overflow. Only functions call themselves, and a function within a function's operand is refused. DynamoDB's bound of 300
operators bounds how deep the predicates are.

``NOT`` binds closest, then ``AND``, then ``OR``; comparisons, ``BETWEEN`` and ``IN`` bind closer than all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from processor.view.condition import functions, predicates
from processor.view.condition.condition_error import ConditionError
from processor.view.condition.operands import Operand, of_path, of_value
from processor.view.condition.paths import path
from processor.view.condition.predicates import Predicate
from processor.view.condition.source import ExpressionText
from processor.view.condition.tokens import Token

_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_OPERATORS = _COMPARISONS | {"BETWEEN", "IN"}
_ORDERED = frozenset({"S", "N", "B"})
_MOST_CHOICES = 100


@dataclass(slots=True)
class _Group:
    """What was read within one pair of parentheses, or outside all: alternatives, each of conditions joined by AND."""

    opened: Token
    alternatives: list[list[Predicate]] = field(default_factory=lambda: [[]])
    negated: bool = False
    # How many of its conditions are groups themselves, and how many NOTs were read.
    groups: int = 0
    negations: int = 0

    def add(self, found: Predicate) -> None:
        self.alternatives[-1].append(predicates.negated(found) if self.negated else found)
        self.negated = False

    def is_one_group(self) -> bool:
        """Whether it is nothing but another pair of parentheses."""
        return self.groups == 1 and not self.negations and len(self.alternatives) == len(self.alternatives[0]) == 1

    def whole(self) -> Predicate:
        return predicates.any_of([predicates.all_of(each) for each in self.alternatives])


def predicate(source: ExpressionText) -> Predicate:
    """The predicate that the whole text states.

    :raises ConditionError: DynamoDB would refuse it
    """
    open_groups = [_Group(source.token)]
    while True:
        group = open_groups[-1]
        if source.token.kind == "NOT":
            source.count(source.take())
            group.negated = not group.negated
            group.negations += 1
        elif source.token.kind == "(" and not source.is_operand_in_parentheses(_OPERATORS):
            open_groups.append(_Group(source.take()))
        else:
            group.add(_condition(source))
            if _close(source, open_groups):
                return open_groups[0].whole()


def _close(source: ExpressionText, open_groups: list[_Group]) -> bool:
    """Read what follows a condition, up to where the next one begins; whether it is the end of the text."""
    while source.token.kind == ")" and len(open_groups) > 1:
        source.take()
        closed = open_groups.pop()
        if closed.is_one_group():
            raise ConditionError("redundant parentheses, which DynamoDB refuses", closed.opened.position)
        open_groups[-1].add(closed.whole())
        open_groups[-1].groups += 1
    token = source.take()
    if token.kind in {"AND", "OR"}:
        source.count(token)
        if token.kind == "OR":
            open_groups[-1].alternatives.append([])
        return False
    if token.kind != "end":
        raise ConditionError(f"AND, OR or the end is expected here, not {token}", token.position)
    if len(open_groups) > 1:
        raise ConditionError("this parenthesis is never closed", open_groups[-1].opened.position)
    return True


def _condition(source: ExpressionText) -> Predicate:
    """A comparison, BETWEEN, IN, or a function."""
    if source.is_call() and source.token.text != "size":
        function, operands = _call(source)
        found = functions.condition(function, operands)
        if source.token.kind in _OPERATORS:
            raise ConditionError(f"the result of {function.text} can't be compared", function.position)
        return found
    left = _operand(source)
    operator = source.take()
    if operator.kind not in _OPERATORS:
        raise ConditionError(
            f"a comparison (=, <>, <, <=, >, >=), BETWEEN or IN is expected here, not {operator}", operator.position
        )
    source.count(operator)
    if operator.kind == "BETWEEN":
        return _between(source, left)
    if operator.kind == "IN":
        return _in(source, operator, left)
    right = _operand(source)
    functions.check_distinct(operator.kind, [left, right])
    if operator.kind not in {"=", "<>"}:
        functions.check_type(operator.kind, [left, right], _ORDERED)
    return predicates.compared(operator.kind, left, right)


def _between(source: ExpressionText, tested: Operand) -> Predicate:
    low = _operand(source)
    source.take("AND", "the AND of BETWEEN")
    high = _operand(source)
    functions.check_distinct("BETWEEN", [tested, low, high])
    functions.check_type("BETWEEN", [tested, low, high], _ORDERED)
    if low.constant is not None and high.constant is not None:
        if low.constant[0] != high.constant[0]:
            raise ConditionError("the bounds of BETWEEN must be of one type", high.position)
        if low.constant[1] > high.constant[1]:
            raise ConditionError("the upper bound of BETWEEN is less than its lower bound", high.position)
    return predicates.between(tested, low, high)


def _in(source: ExpressionText, operator: Token, tested: Operand) -> Predicate:
    choices = _operands(source)
    if len(choices) > _MOST_CHOICES:
        raise ConditionError(f"IN takes at most {_MOST_CHOICES} operands, not {len(choices)}", operator.position)
    functions.check_distinct("IN", [tested, *choices])
    return predicates.one_of(tested, choices)


def _operands(source: ExpressionText, within: str = "") -> list[Operand]:
    """A list of operands in parentheses."""
    source.take("(", "'('")
    found = [_operand(source, within)]
    while source.token.kind == ",":
        source.take()
        found.append(_operand(source, within))
    source.take(")", "',' or ')'")
    return found


def _operand(source: ExpressionText, within: str = "") -> Operand:
    """A path, a value or a size, in parentheses or not.

    :param within: the function whose operand it is; empty outside functions
    """
    if source.token.kind != "(":
        return _bare_operand(source, within)
    source.take()
    if source.token.kind == "(":
        raise ConditionError("redundant parentheses, which DynamoDB refuses", source.token.position)
    found = _bare_operand(source, within)
    source.take(")", "')'")
    return found


def _bare_operand(source: ExpressionText, within: str) -> Operand:
    token = source.token
    if source.is_call():
        return _size(source, within)
    if token.kind == "value":
        return of_value(source.value(source.take()), token.position)
    return of_path(path(source), token.position)


def _size(source: ExpressionText, within: str) -> Operand:
    """A function as an operand, which only size can be."""
    name = functions.known(source.token)
    if name != "size":
        raise ConditionError(f"{name} is a condition, and can't be an operand", source.token.position)
    if within == "size":
        raise ConditionError("size doesn't take a value of type N, which size is", source.token.position)
    function, operands = _call(source)
    return functions.size(function, operands)


def _call(source: ExpressionText) -> tuple[Token, list[Operand]]:
    """A function and its operands."""
    functions.known(source.token)
    function = source.take()
    source.count(function)
    return function, _operands(source, function.text)
