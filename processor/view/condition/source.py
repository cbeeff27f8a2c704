"""A condition expression as it is read: its tokens one after the other, its names and values, what it used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processor.dynamodb.attribute_values import InvalidValueError
from processor.view.condition.condition_error import ConditionError
from processor.view.condition.tokens import Token, tokens
from processor.view.condition.values import Value, constant

# "Expression parameters" under "Quotas and limits" in the Developer Guide.
_MOST_BYTES = 4096
_MOST_OPERATORS = 300


class ExpressionText:
    """The expression's text, and how far it is read.

    :ivar used: the ``#names`` and ``:values`` that were looked up
    :ivar attributes: the top-level attributes whose paths were read
    :ivar operators: how many operators and functions were read
    :ivar nested: those of them below which a path went on
    :raises ConditionError: it is empty, too long, or has a character that can't be in it
    """

    def __init__(self, text: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        size = len(text.encode(errors="replace"))
        if size > _MOST_BYTES:
            raise ConditionError(f"an expression has at most {_MOST_BYTES} bytes, this one has {size}", len(text))
        self._tokens = tokens(text)
        self._closed_by = _pairs(self._tokens)
        self._at = 0
        self._names = names
        self._values = values
        self.operators = 0
        self.used: set[str] = set()
        self.attributes: set[str] = set()
        self.nested: set[str] = set()
        if self.token.kind == "end":
            raise ConditionError("the expression is empty", 0)

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._at]

    def take(self, kind: str = "", expected: str = "") -> Token:
        """Go on past the next token.

        :raises ConditionError: it isn't of the kind that was asked for
        """
        token = self.token
        if kind and token.kind != kind:
            raise ConditionError(f"{expected} is expected here, not {token}", token.position)
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def is_call(self) -> bool:
        """Whether a function comes next."""
        return self.token.kind == "word" and self._kind(self._at + 1) == "("

    def is_operand_in_parentheses(self, operators: frozenset[str]) -> bool:
        """Whether the parenthesis that comes next holds one operand, which an operator follows: ``(a) = :v``."""
        closing = self._closed_by.get(self._at)
        if closing is None or self._kind(closing + 1) not in operators:
            return False
        inside = {token.kind for token in self._tokens[self._at + 1 : closing]}
        return not inside & (operators | {"AND", "OR", "NOT"})

    def count(self, operator: Token) -> None:
        """Count an operator or function.

        :raises ConditionError: there are more than DynamoDB takes
        """
        self.operators += 1
        if self.operators > _MOST_OPERATORS:
            raise ConditionError(
                f"an expression has at most {_MOST_OPERATORS} operators and functions", operator.position
            )

    def name(self, token: Token) -> str:
        """The attribute's name that a ``#name`` stands for.

        :raises ConditionError: it stands for none
        """
        found = self._names.get(token.text)
        if not isinstance(found, str) or not found:
            raise ConditionError(f"filterNames has no name for {token.text}", token.position)
        self.used.add(token.text)
        return found

    def value(self, token: Token) -> Value:
        """The value that a ``:value`` stands for.

        :raises ConditionError: it stands for none, or for one that DynamoDB refuses
        """
        if token.text not in self._values:
            raise ConditionError(f"filterValues has no value for {token.text}", token.position)
        try:
            found = constant(self._values[token.text])
        except InvalidValueError as exc:
            raise ConditionError(f"the value of {token.text} can't be used: {exc}", token.position) from exc
        self.used.add(token.text)
        return found

    def _kind(self, at: int) -> str:
        return self._tokens[min(at, len(self._tokens) - 1)].kind


def _pairs(every: list[Token]) -> dict[int, int]:
    """For each opening parenthesis the closing one, if there is any."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for at, token in enumerate(every):
        if token.kind == "(":
            opened.append(at)
        elif token.kind == ")" and opened:
            pairs[opened.pop()] = at
    return pairs
