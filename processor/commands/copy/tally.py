"""How far a copy has come, by all who work on it, for the progress that is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from processor.commands.copy.totals import Counts
from processor.errors import ReplicatorError
from processor.state.copy_rows import SegmentState

if TYPE_CHECKING:
    from typing_extensions import Self

# How often is looked what other machines have done.
LOOK_SECONDS = 10.0


class Tally:
    """Looks now and then, in a thread of its own, while the context is entered.

    :param before: what the rows of segments said at the begin
    :param look: the segments, if other machines work on them, too; called with the number of this one's processes
    :ivar own: what this machine's processes say
    """

    def __init__(self, before: Counts, look: Callable[[int], Sequence[SegmentState] | None], *, processes: int) -> None:
        self.own = Counts()
        self._before = before
        self._look = look
        self._processes = processes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="copy-tally", daemon=True)

    @property
    def counts(self) -> Counts:
        """What is copied so far. Of a page of each thread it may not be known yet whether it is counted twice."""
        return self._before + self.own

    @property
    def words(self) -> str:
        """The other figures, for the line of progress."""
        return f"{self.counts.size_bytes / 1e6:,.0f} MB  {self.own.words}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()  # and not waited for: a call may take half a minute

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look what others have done."""
        own = self.own
        try:
            states = self._look(self._processes)
        except ReplicatorError:
            return  # whoever copies says so
        if states is not None:
            found = Counts.of(states) - own
            self._before = found if found.passed > self._before.passed else self._before
