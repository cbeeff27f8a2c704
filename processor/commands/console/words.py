"""Numbers and texts as people read them on the page. Pure."""

from __future__ import annotations

import re

# Messages name the change at which a shard waits by its key (``replication/on_error.py``), which is an item's content.
# Greedy: a key may have anything in it.
_KEY = re.compile(r"\bof key .* \(sequence number(?= \d)", re.DOTALL)


def rate(per_second: float | None) -> str:
    """As ``1,234``, or with one decimal where that is much of it; ``?`` if it is not known."""
    if per_second is None:
        return "?"
    return f"{per_second:,.0f}" if per_second >= 10 or per_second == int(per_second) else f"{per_second:.1f}"  # noqa: PLR2004  # two digits


def counted(number: int, noun: str) -> str:
    """As ``1 shard`` and ``2 shards``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def without_keys(text: str) -> str:
    """A message without the key of an item."""
    return _KEY.sub("of a key (sequence number", text)
