"""Tells whether a process has ended, be it that nobody has taken note of its end yet."""

from __future__ import annotations

import psutil


def has_ended(process: psutil.Process) -> bool:
    """Whether it does nothing any more: it is gone, or a zombie until its parent, or init on a busy machine, looks."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
