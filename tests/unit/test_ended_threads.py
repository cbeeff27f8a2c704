"""What a test is told of the threads that it leaves behind."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests import ended_threads

if TYPE_CHECKING:
    import pytest


def test_one_that_goes_on_is_named_with_its_place() -> None:
    """It is waited for; what was there before the test, and what ends in time, is no fault of the test."""
    go_on = threading.Event()

    def wait_here() -> None:
        go_on.wait()

    before = set(threading.enumerate())
    thread = threading.Thread(target=wait_here, name="left behind", daemon=True)
    thread.start()
    said = ended_threads.left(before, seconds=0)
    assert ended_threads.left({*before, thread}, seconds=0) == ""
    threading.Timer(0.05, go_on.set).start()
    assert ended_threads.left(before) == ""
    assert said.startswith("Thread 'left behind' goes on after its test:\n")
    assert "in wait_here\n" in said


def test_one_that_nobody_can_end_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, with a reason."""
    monkeypatch.setitem(ended_threads.LET_BE, "let be", "it is this test's")
    before, go_on = set(threading.enumerate()), threading.Event()
    thread = threading.Thread(target=go_on.wait, name="let be")
    thread.start()
    assert ended_threads.left(before, seconds=0) == ""
    go_on.set()
    thread.join()
