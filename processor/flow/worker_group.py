"""Runs the threads of one command, which end together: a signal, or the first failure in any of them, stops all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait

from processor.errors import StoppedError

# How often the waiting thread reports their progress.
TICK_SECONDS = 0.1

Work = Callable[[], None]


class WorkerGroup:
    """Runs pieces of work in threads.

    :param stop: set to end the group; a failure sets it, too
    :param tick: called several times a second by the waiting thread; its failure ends all, too
    """

    def __init__(self, stop: threading.Event, *, tick: Callable[[], None] = lambda: None) -> None:
        self.stop = stop
        self.tick = tick
        self._lock = threading.Lock()
        self._error: BaseException | None = None

    def run(self, works: Iterable[Work], *, threads: int, name: str) -> None:
        """Do all works, each once; the next one is taken when a thread is free.

        :raises StoppedError: ``stop`` was set before they were done
        :raises BaseException: what the first failing work raised
        """
        left = iter(works)

        def one_by_one() -> None:
            while not self.stop.is_set():
                with self._lock:
                    work = next(left, None)
                if work is None:
                    return
                self.do(work)

        with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
            undone = {pool.submit(self.do, one_by_one) for _ in range(threads)}
            while undone:
                _, undone = wait(undone, TICK_SECONDS)
                self.do(self.tick)
        self.check()

    def do(self, work: Work) -> None:
        """Do one work in this thread; its failure becomes the group's."""
        try:
            work()
        except StoppedError:
            self.stop.set()
        except BaseException as exc:  # noqa: BLE001  # whoever waits raises it
            with self._lock:
                self._error = self._error or exc
            self.stop.set()

    def check(self) -> None:
        """Raise what ``run`` raises."""
        if self._error is not None:
            raise self._error
        if self.stop.is_set():
            raise StoppedError
