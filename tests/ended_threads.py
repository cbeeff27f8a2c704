"""Every test ends the threads that it starts.

One that goes on works beside later tests: it takes the machine's time, writes to their logs, finds none of its own
replacements in place any more, and changes what all of a process share. Where Hypothesis draws meanwhile, the global
random numbers of a thread count as the drawing test's, which fails by them.

Threads of fixtures for a module or for the session are older than a test, and no fault of it.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Collection
from contextlib import suppress

from tests.fakes.patience import PATIENCE_SECONDS

# Threads that nobody can end, by their names, and why each is let be.
LET_BE: dict[str, str] = {}


def left(before: Collection[threading.Thread], *, seconds: float = PATIENCE_SECONDS) -> str:
    """Wait until the threads have ended that were not there before; otherwise say which go on, and where they are.

    :param before: the threads that there were, all of them
    :param seconds: how long they may take for it
    """
    deadline = time.monotonic() + seconds
    while begun := [thread for thread in threading.enumerate() if thread not in before and not _is_let_be(thread)]:
        if time.monotonic() >= deadline:
            return "\n".join(map(_where, begun))
        with suppress(RuntimeError):  # another thread is just starting it
            begun[0].join(max(0.0, deadline - time.monotonic()))
    return ""


def _where(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    stack = "" if frame is None else "".join(traceback.format_stack(frame))
    return f"Thread {thread.name!r} goes on after its test:\n{stack}"


def _is_let_be(thread: threading.Thread) -> bool:
    """One of LET_BE, or of a library that has made it without ``threading``."""
    return thread.name in LET_BE or isinstance(thread, threading._DummyThread)
