"""The processes that share the parts of a comparison: this one alone, or as many as are forked from it.

Each thread asks for a part, and tells what it found, a stretch at a time::

    process ─▶ ["ask",[7,"next",null]]        ◀─ [7,{"number":3,…}]     or [7,null]: there are none any more
            ─▶ ["ask",[8,"found",{…}]]        ◀─ [8,null]               when more can be taken

A stretch counts when it is heard, and what is left of its part with it. So when a process is killed, the others read
again no more than what it had not told yet, and nothing is counted twice.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.commands.verify.part import Part, PartQueue, Stretch
from processor.commands.verify.sides import sides_of
from processor.commands.verify.task import VerifyTask
from processor.commands.verify.worker import VerifyWorker
from processor.flow import retry_policy, shapes
from processor.flow.processes import Processes, Reply
from processor.flow.retry import Retry
from processor.flow.wire import Wire, WiredOutage
from processor.flow.worker_group import TICK_SECONDS, WorkerGroup
from processor.view import task_view

if TYPE_CHECKING:
    from processor.commands.verify.sides import Sides
    from processor.flow.outage import Outage


class Taker(Protocol):
    """Takes what is found, one stretch after the other."""

    @property
    def has_room(self) -> bool:
        """Whether more can be taken for now."""

    def take(self, stretch: Stretch) -> None:
        """Add it to all else that was found."""


class Crew(Protocol):
    """Does parts."""

    @property
    def threads(self) -> int:
        """How many parts are done at once."""

    def run(self, parts: PartQueue, taker: Taker) -> None:
        """Do all of them.

        :raises StoppedError: it was stopped
        :raises ReplicatorError: a table can't be read, or what was found can't be taken
        """


class Alone:
    """This process does all of them, in threads of its own."""

    def __init__(self, task: VerifyTask, sides: Sides, workers: WorkerGroup) -> None:
        self.threads = task.threads
        self._workers = workers
        self._worker = VerifyWorker(task, sides, workers.stop)

    def run(self, parts: PartQueue, taker: Taker) -> None:
        """See ``Crew``."""
        lock = threading.Lock()

        def tell(stretch: Stretch) -> None:
            with lock:
                parts.go_on(stretch.rest)
                taker.take(stretch)
            while not taker.has_room:
                self._workers.check()
                self._workers.stop.wait(TICK_SECONDS)

        def work() -> None:
            while True:
                with lock:
                    part = parts.next(0)
                if part is None:
                    return
                self._worker.do(part, tell)

        self._workers.run([work] * self.threads, threads=self.threads, name="verify")


class Forked:
    """Several processes do them, which are forked when the context is entered, and have ended when it is left.

    :param outage: is told what their calls say
    """

    def __init__(
        self,
        task: VerifyTask,
        processes: int,
        *,
        workers: WorkerGroup,
        outage: Outage,
    ) -> None:
        self.threads = processes * task.threads
        self._task = task
        self._workers = workers
        self._parts = PartQueue(())
        self._taker: Taker | None = None
        # Threads that wait for a part, and those that wait until more can be taken.
        self._idle: deque[tuple[int, Reply]] = deque()
        self._held: deque[Reply] = deque()
        self._processes = Processes(
            processes,
            work=self._work,
            heard=lambda *_: None,
            outage=outage,
            asked=self._asked,
            lost=self._lost,
            lost_note="What it had not told yet is read again by the others. Nothing is lost.",
            all_lost_note="The report has what was found until then. Give the same command again.",
        )

    def __enter__(self) -> Forked:  # noqa: PYI034  # Self came with Python 3.11
        self._processes.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.kill()

    def run(self, parts: PartQueue, taker: Taker) -> None:
        """See ``Crew``."""
        self._parts, self._taker = parts, taker
        self._workers.do(self._until_done)
        self._workers.check()

    def _until_done(self) -> None:
        self._give()
        self._processes.run(self._workers.stop, self._tick, until=lambda: self._parts.is_done)

    def _tick(self) -> None:
        self._workers.tick()
        while self._held and self._taker is not None and self._taker.has_room:
            self._held.popleft()(None)

    def _asked(self, number: int, kind: str, value: Any, reply: Reply) -> None:
        assert self._taker is not None  # noqa: S101  # parts are given after ``run`` only
        if kind == "next":
            self._idle.append((number, reply))
            self._give()
            return
        stretch = shapes.convert(value, Stretch)
        self._parts.go_on(stretch.rest)
        self._taker.take(stretch)
        if self._taker.has_room:
            reply(None)
        else:
            self._held.append(reply)

    def _give(self) -> None:
        """Give free parts to threads that wait."""
        while self._idle:
            number, reply = self._idle[0]
            part = self._parts.next(number)
            if part is None:
                return
            self._idle.popleft()
            reply(part)

    def _lost(self, number: int) -> None:
        self._idle = deque(each for each in self._idle if each[0] != number)
        self._parts.give_back(number)
        self._give()

    def _work(self, wire: Wire) -> None:
        """In a process of its own: with clients of its own, for connections and locks are not to be shared."""
        task, settings = self._task, self._task.settings
        sides = sides_of(
            task,
            Clients(settings, connections=task.threads, create=boto3_clients.create),
            task_view.of_source(settings, task.source),
            retry=lambda: Retry(retry_policy.COMMAND, wire.stop, WiredOutage(wire)),
            stop=wire.stop,
        )
        worker = VerifyWorker(task, sides, wire.stop)

        def tell(stretch: Stretch) -> None:
            wire.ask("found", stretch)

        def work() -> None:
            while True:
                worker.do(shapes.convert(wire.ask("next", None), Part), tell)

        WorkerGroup(wire.stop).run([work] * task.threads, threads=task.threads, name="verify")
