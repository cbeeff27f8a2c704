"""Pairs the equal items that two scans give of one part of both tables, so that few need a digest. Pure.

Two tables give their items in the same order, as long as DynamoDB places keys in both by the same rule. It does not
promise that. So an order is made use of and never relied on: what finds its equal beside it needs no digest, because
both would add and subtract the same; all else gets one.

Items are equal here if some form of them has the same bytes. A form may be cheap and miss some, but takes no two items
for equal that differ.

::

    source       a b c d e f│          c and e match: a, b, d and x are passed, and get digests
    destination  x c e│                f waits for the destination's next page, for that table is behind
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from processor.commands.verify.digests import Role


class Matcher:
    """Of one part; not for several threads at once.

    :param form: what is the same for equal items, mostly
    :ivar matched: how many items of each table have been paired
    """

    def __init__(self, form: Callable[[msgspec.Raw], bytes] = bytes) -> None:
        self.matched = 0
        self._form = form
        self._waiting: dict[Role, dict[bytes, msgspec.Raw]] = {"source": {}, "destination": {}}

    @property
    def waiting(self) -> int:
        """How many items may still find their equal."""
        return sum(map(len, self._waiting.values()))

    def behind(self) -> Role:
        """The table of which the next page is wanted."""
        ours, theirs = self._waiting["source"], self._waiting["destination"]
        return "source" if len(ours) <= len(theirs) else "destination"

    def add(self, role: Role, items: Sequence[msgspec.Raw]) -> dict[Role, list[msgspec.Raw]]:
        """Take the next items of a table.

        :returns: the items of each table that have been passed, and will not find their equal any more
        """
        other: Role = "destination" if role == "source" else "source"
        raws = list(map(self._form, items))
        mine, theirs = self._waiting[role], self._waiting[other]
        if not mine and raws == list(theirs):
            self.matched += len(raws)
            theirs.clear()
            return {}
        before = len(mine)
        mine.update(zip(raws, items, strict=True))
        if len(mine) < before + len(raws):  # one came twice, which its digest shows
            passed = {role: [*list(mine.values())[:before], *items], other: list(theirs.values())}
            mine.clear()
            theirs.clear()
            return passed
        common = theirs.keys() & raws
        if not common:
            return {}
        self.matched += len(common)
        return {each: self._pass(each, common) for each in (role, other)}

    def flush(self) -> dict[Role, list[msgspec.Raw]]:
        """All that wait; they are not kept any longer."""
        found = {role: list(waiting.values()) for role, waiting in self._waiting.items()}
        for waiting in self._waiting.values():
            waiting.clear()
        return found

    def _pass(self, role: Role, common: set[bytes]) -> list[msgspec.Raw]:
        """What came before the last of these, but for them."""
        waiting, left = self._waiting[role], len(common)
        passed, behind = list[msgspec.Raw](), dict[bytes, msgspec.Raw]()
        for raw, item in waiting.items():
            if raw in common:
                left -= 1
            elif left:
                passed.append(item)
            else:
                behind[raw] = item
        self._waiting[role] = behind
        return passed
