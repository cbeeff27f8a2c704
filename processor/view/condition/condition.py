"""A condition expression, ready to be asked of items. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from processor.errors import MalformedItemError
from processor.view.condition.condition_error import ConditionError, underlined
from processor.view.condition.parser import predicate
from processor.view.condition.predicates import Predicate
from processor.view.condition.source import ExpressionText

__all__ = ["Condition", "ConditionError", "parse", "underlined"]

_FAULTS = (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError, msgspec.DecodeError)


class Condition:
    """A condition that ``parse`` has accepted.

    :ivar text: the expression as it was given, for Scan's FilterExpression
    :ivar names: its ``{"#n": "name"}``, only those that it uses, since DynamoDB refuses others
    :ivar values: its ``{":v": {"S": "x"}}``, only those that it uses
    :ivar attributes: the top-level attributes that it asks for
    :ivar nested: those of them in which it looks for something; DynamoDB refuses that for a key's attribute
    :ivar operators: how many operators and functions it has
    :ivar unused_names: what was given as a name, and is not in the expression
    :ivar unused_values: what was given as a value, and is not in the expression
    """

    def __init__(
        self,
        *,
        text: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
        source: ExpressionText,
        predicate: Predicate,
    ) -> None:
        self.text = text
        self.names = {name: names[name] for name in names if name in source.used}
        self.values = {name: values[name] for name in values if name in source.used}
        self.attributes = frozenset(source.attributes)
        self.nested = frozenset(source.nested)
        self.operators = source.operators
        self.unused_names = frozenset(names) - source.used
        self.unused_values = frozenset(values) - source.used
        self._predicate = predicate

    def matches(self, item: Mapping[str, msgspec.Raw]) -> bool:
        """Whether DynamoDB would find it true of the item.

        Only the attributes that the expression names are decoded further.

        :param item: the item's attributes, each DynamoDB JSON (``{"S": "x"}``)
        :raises MalformedItemError: an attribute that was looked at is no DynamoDB JSON
        """
        try:
            return self._predicate(item)
        except _FAULTS as exc:
            raise MalformedItemError(f"an item that is no DynamoDB JSON ({type(exc).__name__})") from exc


def parse(text: str, names: Mapping[str, str], values: Mapping[str, Any]) -> Condition:
    """The condition that the expression states.

    :param text: a condition expression in DynamoDB's grammar, at most 4 KB of it
    :param names: ``{"#n": "name"}``
    :param values: ``{":v": {"S": "x"}}``, DynamoDB JSON
    :raises ConditionError: DynamoDB would refuse it; names and values that are given and not used are no error here
    """
    source = ExpressionText(text, names, values)
    return Condition(text=text, names=names, values=values, source=source, predicate=predicate(source))
