"""Takes an item's contents out of what a server says about it.

Pure. DynamoDB repeats values in some of its messages ("The parameter cannot be converted to a numeric value: ...",
"Input collection [...] contains duplicates"), other stores in more of theirs; such a message goes to logs and consoles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

HIDDEN = "***"
# A message that names types ("Expected: S Actual: N") is to stay one, whatever values the item has.
_TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"})


def without_values(text: str, items: Iterable[bytes | msgspec.Raw]) -> str:
    """``text`` with ``***`` in the place of each value that one of the items, or keys, has.

    :param items: DynamoDB JSON; what is none has no values
    """
    found = {value for item in items for value in _values(item) if value and value not in _TYPES}
    for value in sorted((value for value in found if value in text), key=len, reverse=True):
        before = r"(?<!\w)" if value[0].isalnum() else ""
        after = r"(?!\w)" if value[-1].isalnum() else ""
        text = re.sub(before + re.escape(value) + after, HIDDEN, text)
    return text


def _values(item: bytes | msgspec.Raw) -> Iterator[str]:
    try:
        yield from _texts(list(msgspec.json.decode(item, type=dict[str, Any]).values()))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return


def _texts(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, (list, dict)):
            pending += each.values() if isinstance(each, dict) else each
