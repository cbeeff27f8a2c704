"""How many items of both tables were read, by one process and by all of them. Pure."""

from __future__ import annotations

import msgspec


class PassCounts(msgspec.Struct, frozen=True, kw_only=True):
    """For the progress that is shown: an item of each table counts once, however often it is read."""

    items: int = 0

    @property
    def passed(self) -> int:
        """The same number."""
        return self.items

    def __add__(self, other: PassCounts) -> PassCounts:
        return PassCounts(items=self.items + other.items)

    def __sub__(self, other: PassCounts) -> PassCounts:
        return PassCounts(items=self.items - other.items)
