"""Work in forked processes: what is heard of them, and how all of them end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from processor.errors import CopyTakenError, NotReadyError, ProcessFailedError, StoppedError
from processor.flow.outage import Outage
from processor.flow.processes import Processes, Reply
from processor.flow.wire import Wire, WiredOutage
from processor.flow.worker_group import WorkerGroup
from processor.reporting.logs import Log
from processor.startup import java
from tests.fakes.patience import PATIENCE_SECONDS


class _Outage(Outage):
    def __init__(self) -> None:
        super().__init__(Log(), "test", note="")
        self.told: list[str | None] = []

    def failed(self, error: str, reason: str) -> None:
        """Note it."""
        self.told.append(f"{error}: {reason}")

    def succeeded(self) -> None:
        """Note it."""
        self.told.append(None)


class _Run:
    """Two processes, and what was heard of them."""

    def __init__(self, work: Callable[[Wire], None]) -> None:
        self.heard: list[tuple[int, str, Any]] = []
        self.outage = _Outage()
        self.lost: list[int] = []
        self.processes = Processes(
            2,
            work=work,
            heard=lambda *said: self.heard.append(said),
            outage=self.outage,
            lost_by=(CopyTakenError,),
            lost=self.lost.append,
        )

    def run(self, stop: threading.Event | None = None, tick: Callable[[], None] = lambda: None) -> None:
        """To their end."""
        self.processes.start()
        self.processes.run(stop or threading.Event(), tick)


def test_what_they_say_is_heard() -> None:
    """Whole, of each, and how large it may be."""
    run = _Run(lambda wire: wire.send("said", [wire.number, "x" * 300_000]))
    run.run()
    assert sorted(run.heard) == [(number, "said", [number, "x" * 300_000]) for number in (0, 1)]


def test_what_they_ask_is_answered() -> None:
    """Each thread gets its own answer, at once or later, in whatever order."""

    def work(wire: Wire) -> None:
        def ask(number: int) -> None:
            wire.send("answered", [number, wire.ask("double", number)])

        WorkerGroup(wire.stop).run([partial(ask, number) for number in range(4)], threads=4, name="ask")

    run, held = _Run(work), list[tuple[int, Reply]]()

    def asked(_: int, kind: str, value: Any, reply: Reply) -> None:
        assert kind == "double"
        held.append((value, reply))
        if len(held) == 8:
            for number, each in reversed(held):
                each(number * 2)

    run.processes.asked = asked
    run.run()
    assert sorted(run.heard) == [(of, "answered", [each, each * 2]) for of in (0, 1) for each in range(4)]


@pytest.mark.parametrize("fails", [False, True])
def test_who_waits_for_an_answer_is_stopped(*, fails: bool) -> None:
    """By a stop, and by the failure of another thread of its process."""

    def work(wire: Wire) -> None:
        def fail() -> None:
            if fails:
                raise NotReadyError("too dry")

        WorkerGroup(wire.stop).run([lambda: wire.ask("never", None), fail], threads=2, name="ask")

    run, stop = _Run(work), threading.Event()
    run.processes.asked = lambda *_: None if fails else stop.set()
    with pytest.raises(ProcessFailedError if fails else StoppedError):
        run.run(stop)


def test_a_wait_may_end_before_they_do() -> None:
    """They stay at work, and are waited for again."""

    def work(wire: Wire) -> None:
        for _ in range(2):
            wire.ask("next", None)

    run, held = _Run(work), list[Reply]()
    run.processes.asked = lambda *asked: held.append(asked[3])
    run.processes.start()
    for _ in range(2):
        run.processes.run(threading.Event(), lambda: None, until=lambda: len(held) == 2)
        assert len(held) == 2
        for reply in held:
            reply(None)
        held.clear()
    run.processes.run(threading.Event(), lambda: None)


def test_a_failure_ends_all() -> None:
    """With its message and its exit status; the other one stops."""

    def work(wire: Wire) -> None:
        if wire.number:
            raise NotReadyError("too dry")
        assert wire.stop.wait(PATIENCE_SECONDS)
        raise StoppedError

    with pytest.raises(ProcessFailedError, match="too dry") as caught:
        _Run(work).run()
    assert caught.value.exit_status == NotReadyError.exit_status


def _until_stopped(wire: Wire) -> None:
    wire.send("begun", None)
    assert wire.stop.wait(PATIENCE_SECONDS)
    raise StoppedError


def test_a_stop_and_a_failing_tick_end_all() -> None:
    """Between two steps: nobody is killed."""
    stop = threading.Event()
    run = _Run(_until_stopped)

    def tick() -> None:
        if len(run.heard) == 2:
            stop.set()

    with pytest.raises(StoppedError):
        run.run(stop, tick)

    def too_late() -> None:
        raise NotReadyError("too late")

    with pytest.raises(NotReadyError, match="too late"):
        _Run(_until_stopped).run(tick=too_late)


@pytest.mark.parametrize("is_killed", [True, False])
def test_one_that_is_lost_is_missed_by_nobody(caplog: pytest.LogCaptureFixture, *, is_killed: bool) -> None:
    """Killed, or removed by the others: the other goes on, and it is said; if all are lost, that is the end."""

    def lost() -> None:
        if is_killed:
            os.kill(os.getpid(), signal.SIGKILL)
        raise CopyTakenError("t")

    def work(wire: Wire) -> None:
        if wire.number:
            lost()
        wire.send("done", None)

    caplog.set_level(logging.INFO)
    run = _Run(work)
    run.run()
    assert run.heard == [(0, "done", None)]
    assert run.lost == [1]
    assert "process_lost" in caplog.messages or not caplog.messages  # the other may have ended before
    with pytest.raises(ProcessFailedError, match="killed by signal 9" if is_killed else "has taken over this copy"):
        _Run(lambda _: lost()).run()


def test_one_outage_is_one_outage() -> None:
    """Whichever process meets it; a success is told only after a failure."""

    def work(wire: Wire) -> None:
        outage = WiredOutage(wire)
        outage.succeeded()
        if wire.number:
            outage.failed("Timeout", "slow")
            outage.succeeded()
            outage.succeeded()

    run = _Run(work)
    run.run()
    assert run.outage.told == ["Timeout: slow", None]


def test_the_same_line_is_written_once(caplog: pytest.LogCaptureFixture) -> None:
    """All processes see the same denial, each after some other time; what differs is written, and what one repeats."""

    def work(wire: Wire) -> None:
        log = Log()
        log.error("attention_needed", reason="denied", seconds=60 + wire.number)
        log.warning("own", number=wire.number)

    caplog.set_level(logging.INFO)
    _Run(work).run()
    assert sorted(caplog.messages) == ["attention_needed", "own", "own"]
    assert {record.levelname for record in caplog.records} == {"ERROR", "WARNING"}


_PARENT = """
import os, sys, threading
from processor.flow.outage import Outage
from processor.flow.processes import Processes
from processor.reporting.logs import Log
def work(wire):
    print(os.getpid(), flush=True)
    wire.stop.wait()
processes = Processes(2, work=work, heard=print, outage=Outage(Log(), "test", note=""))
processes.start()
processes.run(threading.Event(), lambda: None)
"""


def test_a_parent_that_is_killed_leaves_nothing_behind() -> None:
    """Its processes see it at once: standard output ends when the last of them has ended."""
    with subprocess.Popen([sys.executable, "-c", _PARENT], cwd=java.ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
        assert parent.stdout.read() == ""
