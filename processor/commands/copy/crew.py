"""The processes of one machine that work on a copy: this one alone, or as many as are forked from it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.commands.copy.totals import Counts
from processor.commands.copy.worker import CopyTask, CopyWorker
from processor.errors import CopyTakenError
from processor.flow.outage import Outage
from processor.flow.processes import Processes
from processor.flow.wire import Wire, WiredOutage
from processor.view import task_view

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.view.item_view import ItemView

# Calls of one segment at once: its writes go through one pool, its reads one after the other.
_CONNECTIONS_PER_THREAD = 2
_TELL_SECONDS = 0.25


class Crew(Protocol):
    """Works on a copy."""

    @property
    def counts(self) -> Counts:
        """What this machine has copied so far, and what that took."""

    def run(self, tick: Callable[[], None]) -> None:
        """Copy until all segments are done, whoever does them; raises as ``CopyWorker.run``.

        :param tick: called several times a second; its failure ends all
        """


def clients_of(settings: Settings) -> Clients:
    """Clients for one process."""
    return Clients(settings, connections=settings.threads * _CONNECTIONS_PER_THREAD, create=boto3_clients.create)


@contextlib.contextmanager
def crew(
    task: CopyTask, clients: Clients, view: ItemView | None, *, stop: threading.Event, outage: Outage
) -> Iterator[Crew]:
    """The processes, forked and waiting for nothing if there are several; all have ended when the context is left."""
    if task.processes == 1:
        yield CopyWorker(task, clients, view, stop=stop, outage=outage)
        return
    with _Forked(task, stop=stop, outage=outage) as forked:
        yield forked


class _Forked:
    def __init__(self, task: CopyTask, *, stop: threading.Event, outage: Outage) -> None:
        self._told = [Counts()] * task.processes
        self._task = task
        self._stop = stop
        self._processes = Processes(
            task.processes,
            work=self._work,
            heard=self._heard,
            outage=outage,
            lost_by=(CopyTakenError,),
            lost_note="What it had begun is taken over by the others, once its hold has lapsed. Nothing is lost.",
            all_lost_note="What was done stays done. Give the same command again.",
        )

    def __enter__(self) -> _Forked:  # noqa: PYI034  # Self came with Python 3.11
        self._processes.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.kill()

    @property
    def counts(self) -> Counts:
        """The sum of what they have said."""
        return sum(self._told, Counts())

    def run(self, tick: Callable[[], None]) -> None:
        """Wait until they are through."""
        self._processes.run(self._stop, tick)

    def _heard(self, number: int, kind: str, value: Any) -> None:
        assert kind == "counts"  # noqa: S101  # they say nothing else
        self._told[number] = msgspec.convert(value, Counts)

    def _work(self, wire: Wire) -> None:
        """In a process of its own: with clients of its own, for connections and locks are not to be shared."""
        settings = self._task.settings
        worker = CopyWorker(
            self._task,
            clients_of(settings),
            task_view.of_source(settings, self._task.source),
            stop=wire.stop,
            outage=WiredOutage(wire),
        )
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
