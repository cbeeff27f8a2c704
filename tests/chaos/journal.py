"""What happened in an episode, in one order: what the destination and the checkpoint table took, and from whom.

An entry stands in the journal before its cause is answered to the replicator. So whatever the replicator did because of
an answer comes after it, and the order of entries is the one in which a checkpoint may or may not follow a write.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Item: TypeAlias = dict[str, Any]
# writeMode=fenced adds it to what it writes; it is no part of the source's item.
FENCE = "_replicatedSequenceNumber"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of the source: the truth that everything else is held against.

    ``number`` counts all changes of the workload, ``made_at`` is no later than the source's own moment; ``digest`` is
    the new item's, None for a delete. ``refused``: the destination will never accept it.
    """

    number: int
    sequence: int
    shard: str
    key: str
    digest: str | None
    refused: bool
    made_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``at`` is ``time.monotonic()``; ``machine`` is who, None where that is nobody's."""

    at: float = 0.0
    machine: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied(Entry):
    """The destination took a write, or found it moot: a condition on the sequence number was false.

    ``number`` is the change's as the item says it, None for a delete; ``fence`` a fenced write's sequence number.
    """

    key: str
    number: int | None
    digest: str | None
    fence: int | None = None
    moot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed(Entry):
    """The checkpoint table took a shard's checkpoint: a sequence number, SHARD_END, or a word for a start."""

    shard: str
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Entry):
    """A shard's lease was taken by a worker."""

    shard: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Entry):
    """A machine's daemon was started, or the task in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Entry):
    """A machine's daemon ended, with that exit status (negative: the signal)."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck(Entry):
    """A fault of the plan was done, or could not be."""

    name: str
    detail: str
    outcome: Literal["done", "nobody to do it to"]


class Journal:
    """Entries in order; any thread may add one."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.began = time.monotonic()
        self._lock = threading.Lock()

    def add(self, kind: Callable[..., Entry], **fields: Any) -> None:
        """Add an entry, now."""
        with self._lock:
            self.entries.append(kind(at=time.monotonic(), **fields))


class Journals:
    """Those of all tasks, for what concerns each of them."""

    def __init__(self, journals: Sequence[Journal]) -> None:
        self._journals = journals

    def add(self, kind: Callable[..., Entry], **fields: Any) -> None:
        """Add an entry to each, now."""
        for journal in self._journals:
            journal.add(kind, **fields)


def canonical(item: Item) -> str:
    """One text for equal items: attributes and sets in order, binaries in base64, and no fence attribute."""
    return json.dumps(
        {name: _value(value) for name, value in item.items() if name != FENCE},
        sort_keys=True,
        separators=(",", ":"),
    )


def digest(item: Item) -> str:
    """Equal for equal items, and small enough to keep for each of them."""
    return hashlib.blake2b(canonical(item).encode(), digest_size=16).hexdigest()


def _value(typed: dict[str, Any]) -> dict[str, Any]:
    ((kind, value),) = typed.items()
    if kind == "M":
        return {kind: {name: _value(each) for name, each in value.items()}}
    if kind == "L":
        return {kind: [_value(each) for each in value]}
    if kind in ("SS", "NS", "BS"):
        return {kind: sorted(_text(each) for each in value)}
    return {kind: _text(value) if kind == "B" else value}


def _text(value: str | bytes) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
