"""What status says, for readers who must not see keys of items: a page, or messages that leave the house. Pure."""

from __future__ import annotations

import re

# Messages name the change at which a shard waits by its key (``replication/on_error.py``), which is an item's content.
# Greedy: a key may have anything in it.
_KEY = re.compile(r"\bof key .* \(sequence number(?= \d)", re.DOTALL)


def without_keys(text: str) -> str:
    """A message without the key of an item."""
    return _KEY.sub("of a key (sequence number", text)
