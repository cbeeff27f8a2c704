"""Signals that end a process: what they raise, how a command stops between two steps, and who leaves them to others."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A terminal sends the first and the last to a whole process group.
_ENDING = (*_SIGNALS, signal.SIGHUP)


@dataclass(slots=True)
class Received:
    """The number of the first signal that came to any ``Signals``; 0 if none did."""

    number: int = 0


_received = Received()


@contextlib.contextmanager
def one_after_another() -> Iterator[Received]:
    """For a part of a process that makes ``Signals`` of its own: afterwards signals have the effect that they had."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    _received.number = 0
    try:
        yield _received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_to_parent() -> None:
    """Ignore those that end a process: the parent acts on them, and then ends this one in its own way."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def ignore_further() -> None:
    """Ignore both from now on, in a process that is about to end: a second one would break off its last words."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class Interrupted(KeyboardInterrupt):
    """A signal came; ``number`` is its own. By its class it differs from a KeyboardInterrupt that anybody may raise."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_when_they_come() -> None:
    """Have both of them raise ``Interrupted`` in the main thread; a SIGINT that is ignored stays so, as after ``&``."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, _: object) -> NoReturn:
    raise Interrupted(number)


class Signals:
    """The first SIGINT or SIGTERM sets ``stop``; a second one has its previous effect, which ends the command at once.

    For the main thread.

    :param note: printed on standard error at the first signal
    """

    def __init__(self, note: str) -> None:
        self.stop = threading.Event()
        self.number = 0
        self._note = f"{note}\n".encode()
        self._before = {number: signal.signal(number, self._stop) for number in _SIGNALS}

    @property
    def exit_status(self) -> int:
        """The shell's exit status for the signal, 130 or 143; 0 if none came."""
        return 128 + self.number if self.number else 0

    def _stop(self, number: int, _: object) -> None:
        self.number = number
        _received.number = number
        self.stop.set()
        os.write(2, self._note)  # not print, because the signal may have interrupted a print
        for each, handler in self._before.items():
            signal.signal(each, handler)
