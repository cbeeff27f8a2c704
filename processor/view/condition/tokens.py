"""The tokens of a condition expression, each with its place in the text. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from processor.view.condition.condition_error import ConditionError

# What stands for itself: ``NOT`` and ``IN`` as well as ``(`` and ``<=``.
KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN"})
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<word>[A-Za-z][A-Za-z0-9_]*)
    |(?P<name>\#[A-Za-z0-9_]+)
    |(?P<value>:[A-Za-z0-9_]+)
    |(?P<number>[0-9]+)
    |(?P<sign><=|>=|<>|[=<>(),.\[\]])
    |(?P<end>\Z)
    )""",
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\r\n]*")


class Token(NamedTuple):
    """One token.

    ``kind`` is ``word``, ``name`` (``#n``), ``value`` (``:v``), ``number``, ``end``, or what the token itself is: a
    sign, or a keyword in capitals.
    """

    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


def tokens(text: str) -> list[Token]:
    """The text's tokens; the last one is its end.

    :raises ConditionError: a character that no token begins with
    """
    found: list[Token] = []
    position = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, position)
        if match is None:
            position = _SPACE.match(text, position).end()  # type: ignore[union-attr]  # it matches no characters, too
            raise ConditionError(_unknown(text[position]), position)
        group = match.lastgroup or ""
        part = match[group]
        kind = part if group == "sign" else part.upper() if part.upper() in KEYWORDS else group
        found.append(Token(kind, part, match.start(group)))
        position = match.end()
    return found


def _unknown(character: str) -> str:
    """What is to be said of a character that begins no token."""
    if character in "#:":
        return f"after {character!r} come letters, digits and underscores"
    if character in "\"'":
        return "a value is given in filterValues, as :name"
    return (
        f"{character!r} can't stand here; an attribute's name with other characters than letters, digits and "
        "underscores, or that doesn't begin with a letter, needs a #name"
    )
