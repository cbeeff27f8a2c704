"""Decides how much of an endpoint's error message may be shown if the call carried an item or a key.

Pure. DynamoDB repeats values in some of its messages ("The parameter cannot be converted to a numeric value: ..."),
other stores in more of theirs, and a hostile one in any form: escaped, cut, in another notation, or with a name in
place of a value. So values are not searched for. Only texts that AWS is known to use are shown, and in their places
only what is known from elsewhere.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from processor.aws.harmless_words import BEGINS, CALLS, CODES, CONTENT_TYPES, KINDS, MESSAGES, TYPES

HIDDEN = "***"
WITHHELD = "its words are withheld, for they may repeat the item"
NO_WORDS = "no reason given"
UNKNOWN_CODE = "UnknownError"
# Length of AWS's longest message with everything that may stand in its places.
_MOST_CHARACTERS = 1500
_PLACES = {
    "name": ".{1,255}?",
    "type": "|".join(TYPES),
    "kind": "|".join(KINDS),
    "call": "|".join(map(re.escape, CALLS)),
    "": ".*?",
}
_PLACE = re.compile(r"\{(name|type|kind|call|)\}")
_BEGIN = f"(?:{'|'.join(map(re.escape, BEGINS))})?"


class AllWords:
    """For a call that carried nothing of an item: the whole message is shown."""

    def code(self, code: str, status: int) -> str:  # noqa: ARG002  # the other's
        """An error's code."""
        return code

    def message(self, text: str) -> str:
        """An error's words."""
        return text


class HarmlessWords(NamedTuple):
    """For a call that carried an item.

    :param names: the names of the table and of the key's attributes, which may be shown
    """

    names: Collection[str]

    def code(self, code: str, status: int) -> str:
        """An error's code, or ``UnknownError``; without a code, the HTTP status."""
        return code if code in CODES or code in (str(status), f"HTTP {status}") else UNKNOWN_CODE

    def message(self, text: str) -> str:
        """An error's message if AWS is known to use it, or the note that it is withheld."""
        if text == NO_WORDS:
            return text
        for pattern, places in _patterns() if len(text) <= _MOST_CHARACTERS else ():
            found = pattern.fullmatch(text)
            if found is not None:
                return self._filled(text, found, places)
        return WITHHELD

    def _filled(self, text: str, found: re.Match[str], places: tuple[str, ...]) -> str:
        parts, at = [], 0
        for number, place in enumerate(places, 1):
            begin, end = found.span(number)
            is_shown = place in ("type", "kind", "call") or (place == "name" and found[number] in self.names)
            parts += [text[at:begin], found[number] if is_shown else HIDDEN]
            at = end
        return "".join([*parts, text[at:]])


Words = AllWords | HarmlessWords
ALL_WORDS = AllWords()


def content_type(text: str) -> str:
    """An answer's content type, if it is one of the usual ones."""
    kind = text.partition(";")[0].strip().lower()
    return kind if kind in CONTENT_TYPES else "unknown"


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """The patterns, made at the first error so that a child's start need not wait for them."""
    return tuple(_compiled())


def _compiled() -> Iterator[tuple[re.Pattern[str], tuple[str, ...]]]:
    for message in sorted(MESSAGES, key=len, reverse=True):  # the longest first, or a shorter one's place would take it
        words = _PLACE.split(message)  # fixed texts and names of places, in turn
        regex = "".join(f"({_PLACES[word]})" if at % 2 else re.escape(word) for at, word in enumerate(words))
        yield re.compile(_BEGIN + regex + r"\.?", re.DOTALL), tuple(words[1::2])
