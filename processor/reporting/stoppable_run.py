"""A run that a signal stops between two steps. Whatever ends it, its progress is closed and its report is shown."""

from __future__ import annotations

from collections.abc import Callable

from processor.errors import StoppedError
from processor.reporting import output
from processor.reporting.progress import Progress
from processor.system import program
from processor.system.signals import Signals


def status_of(run: Callable[[], None], *, signals: Signals, progress: Progress, show_report: Callable[[], None]) -> int:
    """Run it to its end, or to the signal's.

    :param run: raises StoppedError once the signals' ``stop`` is set
    :returns: 0 if it is through; 130 or 143 if a signal stopped it
    """
    try:
        run()
    except StoppedError as exc:
        output.say(f"{program.NAME}: {exc}")
        return signals.exit_status
    finally:
        progress.close()
        show_report()
    return 0
