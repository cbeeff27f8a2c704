"""What is wrong with a condition expression, and where in its text. Pure."""

from __future__ import annotations

# So much of a long expression is shown on each side of the place.
_SHOWN_CHARACTERS = 60


class ConditionError(ValueError):
    """An expression that DynamoDB would refuse.

    :param message: what is wrong, in one sentence without a period at its end
    :param position: the index in the expression's text at which it is wrong; its length if something is missing there
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def underlined(text: str, position: int) -> str:
    """Two lines: the part of ``text`` around the position, and a caret below it.

    Of a long text only the surroundings are shown, with ``...`` for the rest. Control characters, line breaks among
    them, are shown as spaces.
    """
    start, end = max(0, position - _SHOWN_CHARACTERS), position + _SHOWN_CHARACTERS
    before, after = "..." if start else "", "..." if end < len(text) else ""
    shown = "".join(character if character.isprintable() else " " for character in text[start:end])
    return f"{before}{shown}{after}\n{' ' * (len(before) + min(position, len(text)) - start)}^"
