"""The processes of one machine that are at shared work: this one alone, or as many as are forked from it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from processor.errors import TakenError
from processor.flow import shapes
from processor.flow.outage import Outage
from processor.flow.processes import Processes
from processor.flow.wire import Wire, WiredOutage
from processor.state.sharing.tally import C, Counted

_TELL_SECONDS = 0.25

C_co = TypeVar("C_co", bound=Counted, covariant=True)


class Worker(Protocol[C_co]):
    """One process's part of the work."""

    @property
    def counts(self) -> C_co:
        """What it has done so far, and what that took."""

    def run(self, tick: Callable[[], None]) -> None:
        """Work until all parts are done, whoever does them.

        :param tick: called several times a second; its failure ends all
        :raises StoppedError: the stop came first
        :raises TakenError: this process stood still for so long that the others took over
        :raises ReplicatorError: it can't go on
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where a process works.

    :param stop: ends it
    :param outage: is told what its calls say
    :param tell: tells the process that waits something else than counts: its kind, and what JSON can say
    :param forked: it needs clients of its own, for connections and locks are not to be shared
    """

    stop: threading.Event
    outage: Outage
    tell: Callable[[str, Any], None]
    forked: bool = False


class Crew(Protocol[C_co]):
    """Is at the work."""

    @property
    def counts(self) -> C_co:
        """What this machine has done so far, and what that took."""

    def run(self, tick: Callable[[], None]) -> None:
        """As ``Worker.run``."""


@contextlib.contextmanager
def crew(
    make: Callable[[Seat], Worker[C]],
    *,
    processes: int,
    none: C,
    stop: threading.Event,
    outage: Outage,
    heard: Callable[[str, Any], None] = lambda *_: None,
    lost_by: type[TakenError],
    notes: tuple[str, str],
) -> Iterator[Crew[C]]:
    """The processes, forked and waiting for nothing if there are several; all have ended when the context is left.

    :param make: makes each one's part, in the process itself
    :param none: what one has done that has done nothing
    :param stop: ends it, and ``outage`` is told what calls say: this process's
    :param heard: called with what a process tells
    :param lost_by: the error of a process without which the others go on
    :param notes: what becomes of the work of one that is lost, and what follows if all are
    """
    if processes == 1:
        yield make(Seat(stop=stop, outage=outage, tell=heard))
        return
    with _Forked(
        make, processes=processes, none=none, stop=stop, outage=outage, heard=heard, lost_by=lost_by, notes=notes
    ) as forked:
        yield forked


class _Forked(Generic[C]):
    def __init__(
        self,
        make: Callable[[Seat], Worker[C]],
        *,
        processes: int,
        none: C,
        stop: threading.Event,
        outage: Outage,
        heard: Callable[[str, Any], None],
        lost_by: type[TakenError],
        notes: tuple[str, str],
    ) -> None:
        self._make = make
        self._stop = stop
        self._none = none
        self._told = [none] * processes
        self._told_more = heard
        self._processes = Processes(
            processes,
            work=self._work,
            heard=self._heard,
            outage=outage,
            lost_by=(lost_by,),
            lost_note=notes[0],
            all_lost_note=notes[1],
        )

    def __enter__(self) -> _Forked[C]:  # Self came with Python 3.11
        self._processes.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.kill()

    @property
    def counts(self) -> C:
        """The sum of what they have said."""
        summed: C = sum(self._told, self._none)
        return summed

    def run(self, tick: Callable[[], None]) -> None:
        """Wait until they are through."""
        self._processes.run(self._stop, tick)

    def _heard(self, number: int, kind: str, value: Any) -> None:
        if kind == "counts":
            self._told[number] = shapes.convert(value, type(self._none))
        else:
            self._told_more(kind, value)

    def _work(self, wire: Wire) -> None:
        """In a process of its own."""
        worker = self._make(Seat(stop=wire.stop, outage=WiredOutage(wire), tell=wire.send, forked=True))
        due = time.monotonic() + _TELL_SECONDS

        def tick() -> None:
            nonlocal due
            if time.monotonic() >= due:
                due = time.monotonic() + _TELL_SECONDS
                wire.send("counts", worker.counts)

        try:
            worker.run(tick)
        finally:
            wire.send("counts", worker.counts)
