"""Threads that end together."""

from __future__ import annotations

import threading

import pytest

from processor.errors import StoppedError
from processor.flow.worker_group import WorkerGroup
from tests.fakes.patience import PATIENCE_SECONDS


def test_every_work_is_done_once() -> None:
    """By several threads, while whoever waits is told."""
    done, ticks = [], []
    workers = WorkerGroup(threading.Event(), tick=lambda: ticks.append(1))
    workers.run((lambda n=n: done.append(n) for n in range(100)), threads=3, name="test")
    assert sorted(done) == list(range(100))
    assert ticks


def test_the_first_failure_ends_all() -> None:
    """Others see that they are to stop, no other work begins, and the failure is what is raised."""
    workers, done = WorkerGroup(threading.Event()), []

    def fail() -> None:
        raise LookupError("first")

    def wait() -> None:
        assert workers.stop.wait(PATIENCE_SECONDS)
        raise StoppedError

    with pytest.raises(LookupError, match="first"):
        workers.run([wait, fail, lambda: done.append(1)], threads=2, name="test")
    assert done == []
    with pytest.raises(LookupError, match="first"):
        workers.run([], threads=1, name="test")


def test_stop() -> None:
    """Set from outside, it ends the works that look at it, and is raised."""
    workers = WorkerGroup(threading.Event())
    with pytest.raises(StoppedError):
        workers.run([workers.stop.set, lambda: pytest.fail("begun")], threads=1, name="test")
