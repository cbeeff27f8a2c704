"""What ends a command: the exit status of each kind of failure, and what is said of it."""

from __future__ import annotations

import signal
import traceback
from typing import NamedTuple

from processor.errors import ReplicatorError
from processor.reporting import output
from processor.system.signals import Interrupted

# A signal's number is added to this, as a shell does.
INTERRUPTED = 128
DONE = "What was done stays done"


class Ending(NamedTuple):
    """The exit status, and the message for people."""

    exit_status: int
    message: str


def of(exc: Exception, *, left: str = DONE) -> Ending:
    """The ending that an exception is; for an ``except`` clause. If nobody foresaw it, its trace is printed.

    :param left: what is left behind then, as a clause
    """
    if isinstance(exc, ReplicatorError):
        return Ending(exc.exit_status, str(exc))
    if isinstance(exc, OSError):
        is_closed = isinstance(exc, BrokenPipeError)
        return Ending(output.CLOSED_PIPE if is_closed else ReplicatorError.exit_status, str(output.failure(exc)))
    output.introduce()
    traceback.print_exc()
    return Ending(ReplicatorError.exit_status, f"BUG: an unexpected error, above. {left}; please report it.")


def interrupted(exc: KeyboardInterrupt) -> int:
    """The exit status of a command that a signal ended: 130 or 143."""
    return INTERRUPTED + (exc.number if isinstance(exc, Interrupted) else signal.SIGINT)
