"""SIGINT and SIGTERM for a command that can stop between two steps."""

from __future__ import annotations

import os
import signal
import threading


class Signals:
    """The first SIGINT or SIGTERM sets ``stop``; a second one has its previous effect, which ends the command at once.

    For the main thread.

    :param note: printed on standard error at the first signal
    """

    def __init__(self, note: str) -> None:
        self.stop = threading.Event()
        self.number = 0
        self._note = f"{note}\n".encode()
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}

    @property
    def exit_status(self) -> int:
        """The shell's exit status for the signal, 130 or 143; 0 if none came."""
        return 128 + self.number if self.number else 0

    def _stop(self, number: int, _: object) -> None:
        self.number = number
        self.stop.set()
        os.write(2, self._note)  # not print, because the signal may have interrupted a print
        for each, handler in self._before.items():
            signal.signal(each, handler)
