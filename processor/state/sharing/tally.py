"""How far shared work has come, by all who are at it, for the progress that is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from processor.errors import ReplicatorError

if TYPE_CHECKING:
    from typing_extensions import Self

# How often is looked what other machines have done.
LOOK_SECONDS = 10.0


class Counted(Protocol):
    """What was done, in numbers."""

    @property
    def passed(self) -> int:
        """The one by which more is told from less."""

    def __add__(self, other: Any) -> Any: ...

    def __sub__(self, other: Any) -> Any: ...


C = TypeVar("C", bound=Counted)


class Tally(Generic[C]):
    """Looks now and then, in a thread of its own, while the context is entered.

    :param before: what the rows of the parts said at the begin
    :param none: what a machine has done that has done nothing
    :param look: what the rows say now, if other machines are at it, too; called with the number of this one's processes
    :ivar own: what this machine's processes say
    """

    def __init__(self, before: C, look: Callable[[int], C | None], *, none: C, processes: int) -> None:
        self.own = none
        self._before = before
        self._look = look
        self._processes = processes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tally", daemon=True)

    @property
    def counts(self) -> C:
        """What is done so far. Of what each thread has in hand it may not be known yet whether it is counted twice."""
        summed: C = self._before + self.own
        return summed

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
            told = self._look(self._processes)
        except ReplicatorError:
            return  # whoever works says so
        if told is not None:
            found: C = told - own
            self._before = found if found.passed > self._before.passed else self._before
