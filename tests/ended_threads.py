"""Every test ends the threads that it starts.

One that goes on works beside later tests: it takes the machine's time, writes to their logs, finds none of its own
replacements in place any more, and changes what all of a process share. Where Hypothesis draws meanwhile, the global
random numbers of a thread count as the drawing test's, which fails by them.

Threads of fixtures for a module or for the session are older than a test, and no fault of it; nor are those by which
such a fixture's server serves the test.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
import traceback
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from tests.fakes.network.listener import ConnectionThread
from tests.fakes.patience import PATIENCE_SECONDS

_TESTS = Path(__file__).parent
# After that what goes on may be a pool's idle thread, which ends with the pool: when that is collected.
_MOMENT_SECONDS = 0.05
# Threads that nobody can end, by their names, and why each is let be.
LET_BE = {"transform-watch": "it is its process's, and only looks whether a transform's call takes long"}

# Tests of daemons, whose work is done by other processes: how all of them end is not proven yet.
_NOT_ASKED = {"aws", "bench", "chaos", "faults", "many", "scenarios"}


def is_asked(test: Path) -> bool:
    """Whether the tests of a file must end their threads."""
    return test.relative_to(_TESTS).parts[0] not in _NOT_ASKED


def left(before: Collection[threading.Thread], *, seconds: float = PATIENCE_SECONDS) -> str:
    """Wait until the threads have ended that were not there before; otherwise say which go on, and where they are.

    :param before: the threads that there were, all of them
    :param seconds: how long they may take for it
    """
    began = time.monotonic()
    collected = False
    while begun := [each for each in threading.enumerate() if each not in before and not _is_let_be(each, before)]:
        waited = time.monotonic() - began
        if waited >= _MOMENT_SECONDS and not collected:
            gc.collect()
            collected = True
        if waited >= seconds:
            return "\n".join(map(_where, begun))
        with suppress(RuntimeError):  # another thread is just starting it
            begun[0].join(min(seconds - waited, seconds if collected else _MOMENT_SECONDS))
    return ""


def _where(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    stack = "" if frame is None else "".join(traceback.format_stack(frame))
    return f"Thread {thread.name!r} goes on after its test:\n{stack}"


def _is_let_be(thread: threading.Thread, before: Collection[threading.Thread]) -> bool:
    """One of LET_BE, of an older server, or of a library that has made it without ``threading``."""
    if isinstance(thread, ConnectionThread):
        return thread.listening in before
    return thread.name in LET_BE or isinstance(thread, threading._DummyThread)
