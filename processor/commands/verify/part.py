"""A part of the tables that is compared at a time, what was found in a stretch of it, and who has which. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from processor.commands.verify.digests import Role

# Bytes of DynamoDB's as text, whatever they are, and back.
RAW = "latin-1"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A segment of one table, or of both.

    ``looked_up``: the table whose items are looked up in the other one; None if both tables' items get digests.
    ``left``: the tables of which pages are left, each with the key after which the next one begins, as DynamoDB JSON;
    None before the first page. All DynamoDB JSON is text by ``RAW``.
    """

    number: int
    total: int
    left: dict[Role, str | None]
    looked_up: Role | None = None


class Stretch(msgspec.Struct, kw_only=True):
    """What was found in some pages of a part. It counts at once or not at all.

    ``rest``: the part as it is left; ``places`` and ``hashes``: see ``Digests``; ``expired``: see ``Results.scanned``;
    ``named``: keys past their TTL that are to be shown, each the JSON of a ``Found``; ``keys``: those that seem to
    differ, DynamoDB JSON. ``looked_up``: how many items were looked up in the other table.
    """

    rest: Part
    places: bytes = b""
    hashes: bytes = b""
    scanned: dict[Role, int] = {}
    expired: dict[Role, int] = {}
    equal: int = 0
    named: list[str] = []
    keys: list[str] = []
    looked_up: int = 0


class PartQueue:
    """The parts of one step, and who has which. Not for several threads at once.

    Each is given away as it is left, so whoever takes over what another has lost goes on after the last stretch.
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self._new = iter(parts)
        self._next = next(self._new, None)
        self._given_back: deque[Part] = deque()
        self._taken: dict[int, tuple[int, Part]] = {}

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self._next is None and not self._given_back and not self._taken

    def next(self, taker: int) -> Part | None:
        """A part that is this taker's from now on; None if none is free."""
        if self._given_back:
            part = self._given_back.popleft()
        elif self._next is not None:
            part, self._next = self._next, next(self._new, None)
        else:
            return None
        self._taken[part.number] = taker, part
        return part

    def go_on(self, rest: Part) -> None:
        """A stretch of a part was found: this is left."""
        taker, _ = self._taken.pop(rest.number)
        if rest.left:
            self._taken[rest.number] = taker, rest

    def give_back(self, taker: int) -> None:
        """What this one has begun is free again."""
        for number, (each, part) in list(self._taken.items()):
            if each == taker:
                del self._taken[number]
                self._given_back.append(part)
