"""Corrects a copy's plan after its first writes: an item may cost more or less than the sample said."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from processor.commands.copy import estimate
from processor.commands.copy.estimate import Estimate
from processor.commands.copy.report import duration

# So many items are worth believing.
FEWEST_ITEMS = 500
# Less of a difference is no news.
_SHARE = 0.2


class Remeasure:
    """Says once if the plan was wrong.

    :param plan: made before the first write
    :param concurrent: the copy may take as long as it likes
    :param say: is given a line
    """

    def __init__(self, plan: Estimate, *, concurrent: bool, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._concurrent = concurrent
        self._say = say
        self._is_over = not plan.items or not plan.write_units

    def look(self, items: int, write_units: float) -> None:
        """Compare what is written so far with the plan.

        :param items: written in this run
        :param write_units: what they have consumed; 0 if the store does not say, and then nothing is concluded
        """
        if self._is_over or items < FEWEST_ITEMS or not write_units:
            return
        self._is_over = True
        planned, actual = self._plan.write_units / self._plan.items, write_units / items
        if abs(actual / planned - 1) < _SHARE:
            return
        by_units = self._plan.seconds_by_write_units
        now = msgspec.structs.replace(
            self._plan,
            write_units=round(actual * self._plan.items),
            seconds_by_write_units=None if by_units is None else by_units * actual / planned,
        )
        self._say(
            f"The first {items:,} items took {actual:.2f} write units each, where {planned:.2f} were planned: "
            f"about {duration(now.seconds)} in all, and {now.write_units:,} write units"
        )
        for finding in estimate.findings(now, concurrent=self._concurrent):
            self._say(finding.text)
