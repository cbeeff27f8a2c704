"""What ends a command: the exit status of each kind of failure, and what is said of it."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from processor.errors import ReplicatorError, StoppedError
from processor.reporting import output
from processor.reporting.failure import FailureReport
from processor.reporting.findings import Finding
from processor.system.signals import Interrupted

# A signal's number is added to this, as a shell does.
INTERRUPTED = 128
DONE = "What was done stays done"


class Ending(NamedTuple):
    """The exit status, the message for people, and what was found wrong, for scripts."""

    exit_status: int
    message: str
    findings: Sequence[Finding] = ()


def report(ended: Ending) -> FailureReport:
    """What ``--json`` prints of it."""
    return FailureReport(exit_status=ended.exit_status, error=ended.message, findings=list(ended.findings))


def of(exc: Exception, *, left: str = DONE) -> Ending:
    """The ending that an exception is; for an ``except`` clause. If nobody foresaw it, its trace is printed.

    :param left: what is left behind then, as a clause
    """
    if isinstance(exc, ReplicatorError):
        return Ending(exc.exit_status, str(exc), tuple(exc.findings))
    if isinstance(exc, OSError):
        is_closed = isinstance(exc, BrokenPipeError)
        return Ending(output.CLOSED_PIPE if is_closed else ReplicatorError.exit_status, str(output.failure(exc)))
    output.introduce()
    traceback.print_exc()
    return Ending(ReplicatorError.exit_status, f"BUG: an unexpected error, above. {left}; please report it.")


def of_status(status: int) -> Ending:
    """The ending of a command that has returned: with a message where a signal stopped it between two steps."""
    return Ending(status, str(StoppedError()) if status > INTERRUPTED else "")


def interrupted(exc: KeyboardInterrupt) -> int:
    """The exit status of a command that a signal ended: 130 or 143."""
    return INTERRUPTED + (exc.number if isinstance(exc, Interrupted) else signal.SIGINT)
