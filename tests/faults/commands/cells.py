"""The second matrix: every call that a command makes, times every single fault, times which of these calls meets it.

Which calls these are, a run of the command in which nothing goes wrong says. A cell's name is
``ERRAND:CALL:FAULT:MOMENT``, as ``repair:source.Scan:empty-list:later``.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.startup import java
from tests.faults.cells import FAULTS
from tests.faults.checks import TRACES
from tests.faults.commands.desk import Desk, End, Made, ended
from tests.faults.commands.errands import Errand
from tests.faults.strike import Strike
from tests.faults.world import Servers

MOMENTS = {
    "first": "the first such call",
    "later": "one of the others, by seed",
    "outage": "each such call for five seconds, from the first one",
}
_OUTAGE_SECONDS = 5.0
# A table that seems to be empty whenever it is asked, for seconds, is empty for all that anybody can know.
_BELIEVED_IN_TIME = {"empty-object", "part-missing", "empty-list"}
# Once, these end nothing that has begun its work, but for a beginning's own looks (docs/how-it-works.md).
_PASSING = {"throttled", "server-error", "cut", "hung", "answer-lost"}
_DECIDED = {1, 5, 22}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the matrix."""

    errand: Errand
    call: Made
    fault: str
    moment: str

    @property
    def name(self) -> str:
        """As ``--only`` takes it."""
        return f"{self.errand.name}:{self.call.name}:{self.fault}:{self.moment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``status``: what the command ended with; None where the fault was not met. ``wrong``: what was broken."""

    cell: Cell
    status: int | None
    seconds: float
    wrong: tuple[str, ...] = ()
    errors: str = ""


def made_by(errand: Errand, folder: Path, servers: Servers) -> list[Made]:
    """The calls of a run in which nothing goes wrong.

    :raises AssertionError: it does not end as it must
    """
    with Desk(folder, servers) as desk:
        errand.prepare(desk)
        end = ended(errand.start(desk))
        wrongs = list(errand.wrongs(desk, end, again=False))
        assert (end.status, wrongs) == (errand.status, []), f"{errand.name}: {end}"
        return desk.calls()


def cells_of(errand: Errand, calls: Sequence[Made]) -> Iterator[Cell]:
    """All there are."""
    for call, fault, moment in itertools.product(calls, FAULTS, MOMENTS):
        is_left_out = {
            "first": False,
            "later": call.times == 1,
            "outage": errand.is_variant or fault in _BELIEVED_IN_TIME,
        }
        if not is_left_out[moment]:
            yield Cell(errand=errand, call=call, fault=fault, moment=moment)


def sample(cells: Sequence[Cell], seed: int, count: int) -> list[Cell]:
    """So many of them, the same ones for the same seed."""
    return random.Random(seed).sample(cells, min(count, len(cells)))


def run(cell: Cell, seed: int, folder: Path, servers: Servers, *, root: Path = java.ROOT) -> Outcome:
    """Run the command with its fault, and hold it to what must hold; then, where it has not finished, once more.

    :param root: the checkout whose run.sh is run
    """
    began = time.monotonic()
    number = seed * len(MOMENTS) + list(MOMENTS).index(cell.moment)
    strike = Strike(cell.fault, site=cell.call.site, number=number, lasting=cell.moment == "outage")
    errand = cell.errand
    with Desk(folder, servers, root=root) as desk:
        errand.prepare(desk)
        before = 1 + number % (cell.call.times - 1) if cell.moment == "later" else 0
        fault = desk.site(cell.call.site).inject(strike, cell.call.operation, after=before)
        started = errand.start(desk)
        over = threading.Event()
        watching = threading.Thread(target=_clear_later, args=(strike, fault.clear, over))
        watching.start()
        try:
            end = ended(started)
        except AssertionError as exc:
            return Outcome(cell=cell, status=None, seconds=time.monotonic() - began, wrong=(str(exc)[:2000],))
        finally:
            over.set()
            watching.join()
            fault.clear()
        wrong = [*errand.wrongs(desk, end, again=False), *_unsaid(cell, end)]
        if strike.met and end.status != errand.status:
            wrong += _not_done_by_another(errand, desk)
    return Outcome(
        cell=cell,
        status=end.status if strike.met else None,
        seconds=time.monotonic() - began,
        wrong=tuple(wrong),
        errors=end.errors if wrong else "",
    )


def _clear_later(strike: Strike, clear: Callable[[], None], over: threading.Event) -> None:
    """End what lasts, some seconds after it was met first."""
    while not over.wait(0.05):
        if strike.first_met is not None and time.monotonic() - strike.first_met > _OUTAGE_SECONDS:
            clear()
            return


def _unsaid(cell: Cell, end: End) -> Iterator[str]:
    """What is wrong with an end and its words, whatever the errand is."""
    if end.status == cell.errand.status:
        return
    if end.status not in _DECIDED:
        yield f"it ended with {end.status}"
    if not end.errors.strip() and not end.report:
        yield f"it ended with {end.status} and not a word"
    yield from (f"a trace: {trace}" for trace in TRACES if trace in end.errors)
    is_look = cell.call.operation.startswith("Describe") or cell.call.site == "leases"
    if cell.moment == "later" and cell.fault in _PASSING and not is_look:
        yield f"it ended with {end.status}, though this passes"


def _not_done_by_another(errand: Errand, desk: Desk) -> Iterator[str]:
    """What is wrong with the next run, in which nothing goes wrong."""
    end = ended(errand.start(desk))
    if end.status != errand.status:
        yield f"the next one ends with {end.status}: {end.errors[-600:]}"
    yield from (f"after the next one: {each}" for each in errand.wrongs(desk, end, again=True))
