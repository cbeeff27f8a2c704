"""Reads a document path: ``a.b[3].#c``. Pure."""

from __future__ import annotations

from processor.dynamodb.attribute_values import MOST_LEVELS
from processor.view.condition.condition_error import ConditionError
from processor.view.condition.reserved_words import RESERVED_WORDS
from processor.view.condition.source import ExpressionText
from processor.view.condition.tokens import KEYWORDS, Token

# The index of a list is a Java int.
_MOST_INDEX = 2**31 - 1
_EXPECTED = "an attribute or a value"


def path(source: ExpressionText) -> tuple[str | int, ...]:
    """The path that comes next, its ``#names`` replaced.

    :raises ConditionError: it is none, or one that DynamoDB refuses
    """
    begin = source.token
    steps: list[str | int] = [_name(source)]
    while source.token.kind in {".", "["}:
        steps.append(_name(source) if source.take().kind == "." else _index(source))
    if len(steps) > MOST_LEVELS:
        raise ConditionError(f"a path has at most {MOST_LEVELS} levels, this one has {len(steps)}", begin.position)
    source.attributes.add(str(steps[0]))
    if len(steps) > 1:
        source.nested.add(str(steps[0]))
    return tuple(steps)


def _name(source: ExpressionText) -> str:
    token = source.take()
    if token.kind == "name":
        return source.name(token)
    if token.kind == "word" and token.text.upper() in RESERVED_WORDS:
        raise ConditionError(
            f"{token.text!r} is a reserved word of DynamoDB's: write #{token.text.lower()}, and give its name in "
            "filterNames",
            token.position,
        )
    if token.kind != "word":
        raise ConditionError(f"{_EXPECTED} is expected here, not {token}{_hint(token)}", token.position)
    return token.text


def _hint(token: Token) -> str:
    """What helps whoever meant the token as it stands."""
    if token.kind in KEYWORDS:
        return "; an attribute of this name needs a #name"
    return "; a number is given in filterValues, as :name" if token.kind == "number" else ""


def _index(source: ExpressionText) -> int:
    token = source.take("number", "an index, a number without quotes")
    if token.text != "0" and token.text.startswith("0"):
        raise ConditionError("an index has no zeros before it", token.position)
    # Its length first, for Python takes long to read a number of thousands of digits.
    if len(token.text) > len(str(_MOST_INDEX)) or int(token.text) > _MOST_INDEX:
        raise ConditionError(f"an index is at most {_MOST_INDEX}", token.position)
    source.take("]", "']'")
    return int(token.text)
