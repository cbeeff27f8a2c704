"""Lets a test run a command in its own process, with what a command takes for itself there."""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def as_process() -> Iterator[None]:
    """A command has its process's signals and log to itself; both are as before when the context is left."""
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        yield
    finally:
        for number, handler in signals.items():
            signal.signal(number, handler)
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
