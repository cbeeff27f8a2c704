"""Tells whether anybody is at work that processes on any machines share.

Whoever is counts a ``beat`` up in the work's row: each of its members its own (``member.py``), or the one process that
runs it alone the row's. Another process takes over if the beats stand still, or at once if it can tell that the
processes have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from processor.state.sharing.work import Work
from processor.state.sharing.work_rows import W
from processor.system import process_name

BEAT_SECONDS = 2.0
# A write begins so long after a beat at most; with the longest that a call takes (8 s, see those who write) it has
# ended before another process, which watches for longer, takes over.
TERM_SECONDS = 10.0
WATCH_SECONDS = 20.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Found(Generic[W]):
    """A work's row, if there is one, and the process that was seen to be at it; empty if nobody is."""

    work: W | None
    worker: str = ""


def look(read: Callable[[], W | None], say: Callable[[str], None], *, what: str) -> Found[W]:
    """Read the work's row, and watch whether anybody is at it.

    :param say: called with lines to show meanwhile
    :param what: the work in words
    """
    first = found = read()
    said = ""
    deadline = time.monotonic() + WATCH_SECONDS
    while first is not None and found is not None and (unknown := _perhaps_working(first)):
        if time.monotonic() > deadline:
            return Found(found)
        if unknown != said:
            said = unknown
            begun = f"{what} begun by {process_name.name_of(unknown)}"
            say(f"Looking for {WATCH_SECONDS:.0f} s whether {begun} is still running")
        time.sleep(_POLL_SECONDS)
        found = read()
        if found is not None and (worker := _working(first, found)):
            return Found(found, worker)
        if found is not None and (found.holder, found.members) != (first.holder, first.members):
            first = found  # some have left
    return Found(found)


def _perhaps_working(work: Work) -> str:
    """A process that is at it as far as one look can tell; empty if none is."""
    if work.state != "running":
        return ""
    if work.members is None:
        return work.host if work.holder and not process_name.is_gone(work.host) else ""
    return next((each.host for each in work.members.values() if not process_name.is_gone(each.host)), "")


def _working(before: Work, now: Work) -> str:
    """A process whose beat has moved between two looks; empty if none has."""
    if now.members is None:
        has_moved = now.holder and (now.holder, now.beat) != (before.holder, before.beat)
        return now.host if has_moved and now.state == "running" else ""
    known = before.members or {}
    return next((each.host for name, each in now.members.items() if known.get(name) != each), "")
