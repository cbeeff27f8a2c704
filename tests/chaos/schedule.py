"""Does an episode's faults at their times, and undoes each when its time is over."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator, Sequence

from tests.chaos.fleet import Machine
from tests.chaos.journal import Journals, Struck
from tests.chaos.plan import Step
from tests.chaos.stage import Done, NobodyError, Undo, always
from tests.fakes.patience import PATIENCE_SECONDS

_LOOK_SECONDS = 0.05
# What the README promises, a kill of ours, and a SIGTERM that came before our code was there to handle it: during
# ``exec``, or by the JVM's own handler.
_STATUSES = {0, 5, 22, -9, -15, 143}


def happen(
    steps: Sequence[Step],
    *,
    seconds: float,
    do: Callable[[Step], Done],
    machines: Sequence[Machine],
    journal: Journals,
) -> None:
    """Do the steps; all of them are undone at the end, which is no earlier than after so many seconds.

    A step that lasts until it was met may put that off.

    :param do: does one, or raises ``NobodyError``
    :param machines: looked after all the time
    """
    began = time.monotonic()
    order = itertools.count()  # two at the same time are not compared any further
    due = [(step.at, next(order), step) for step in steps]
    undo: list[tuple[float, int, Undo, Callable[[], bool]]] = []
    heapq.heapify(due)
    while due or undo or time.monotonic() - began < seconds:
        now = time.monotonic() - began
        while undo and undo[0][0] <= now:
            *_, end, may_end = heapq.heappop(undo)
            if may_end() or now > seconds + PATIENCE_SECONDS:
                end()
            else:
                heapq.heappush(undo, (now + _LOOK_SECONDS, next(order), end, may_end))
        while due and due[0][0] <= now:
            step = heapq.heappop(due)[2]
            try:
                done = do(step)
            except NobodyError:
                journal.add(Struck, name=step.name, detail="", outcome="nobody to do it to")
                continue
            lasting = f" for {step.seconds:.1f} s" if step.seconds else ""
            journal.add(Struck, name=step.name, detail=f"{done.detail}{lasting}", outcome="done")
            if done.undo is not None:
                may_end = done.has_met if step.until_met else always
                heapq.heappush(undo, (now + step.seconds, next(order), done.undo, may_end))
        _look_after(machines)
        time.sleep(_LOOK_SECONDS)


def wait(machines: Sequence[Machine], condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition has become true within so many seconds.

    :param machines: looked after all the time
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _look_after(machines)
        if condition():
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def _look_after(machines: Sequence[Machine]) -> None:
    for machine in machines:
        machine.look()


def ended(machine: Machine) -> Iterator[str]:
    """Stop it, where nothing goes wrong any more; yields what is wrong with that, or was with any end before."""
    try:
        status = machine.stop()
    except AssertionError as exc:
        yield f"end: {machine.name} does not stop: {exc}"
    else:
        if status not in (0, None):
            yield f"end: {machine.name} ended with {status} where nothing went wrong any more"
    for other in set(machine.statuses) - _STATUSES:
        yield f"end: {machine.name} ended with {other}, which is no status of its"
    yield from {f"log of {machine.name}: {line}" for line in machine.replicator.console.splitlines() if "BUG:" in line}
