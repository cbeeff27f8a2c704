"""Whoever writes to a table all the time, from a thread: now and then many times without a pause."""

from __future__ import annotations

import contextlib
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

_BURST_SHARE = 0.01


class Writer(ABC):
    """Writes until stopped. One thread, so its own order is the table's, for each key.

    :param pause_seconds: between two writes, on the average and outside of bursts
    :param most_in_burst: writes without a pause between them
    """

    def __init__(self, name: str, *, seed: int | str, pause_seconds: float, most_in_burst: int) -> None:
        self._random = random.Random(seed)
        self._pause_seconds = pause_seconds
        self._most_in_burst = most_in_burst
        self._burst = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the write in hand; raises what went wrong."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._write()
                self._wait()
        except BaseException as exc:  # noqa: BLE001  # it is raised again where somebody waits for the end
            self._error = exc

    def _wait(self) -> None:
        if self._burst == 0 and self._random.random() < _BURST_SHARE:
            self._burst = self._random.randint(2, self._most_in_burst)
        if self._burst > 0:
            self._burst -= 1
        else:
            self._stop.wait(self._random.uniform(0, 2 * self._pause_seconds))

    @abstractmethod
    def _write(self) -> None:
        """Once."""


@contextlib.contextmanager
def writing(writers: Sequence[Writer]) -> Iterator[None]:
    """All of them write meanwhile."""
    with contextlib.ExitStack() as stack:
        for each in writers:
            each.start()
            stack.callback(each.stop)
        yield
