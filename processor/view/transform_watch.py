"""Says when a call of the user's transform takes long, for as long as it does: its shard waits for it meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from processor.flow.retry_policy import Rhythm
from processor.reporting.logs import Log

# A change takes some dozens of microseconds; a lease is a matter of seconds.
SLOW_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_RHYTHM = Rhythm(first_seconds=SLOW_SECONDS)
_NOTE = (
    "Nothing is lost, and the shard's lease is kept, but its changes wait. After 24 hours they are lost. See what the "
    "transform waits for; it should need nothing but the item."
)


class TransformWatch:
    """Knows which calls are under way, in any thread.

    Its own thread begins with the first of them, so a process may be forked before that.
    """

    def __init__(
        self,
        name: str,
        *,
        log: Log | None = None,
        clock: Callable[[], float] = time.monotonic,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._name = name
        self._log = log or Log()
        self._clock = clock
        self._look_seconds = look_seconds
        self._begun: dict[int, float] = {}
        self._said: dict[int, int] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """This thread calls it now."""
        thread = threading.get_ident()
        self._said.pop(thread, None)
        self._begun[thread] = self._clock()
        if self._thread is None:
            self._start()

    def end(self) -> None:
        """It has returned."""
        self._begun.pop(threading.get_ident(), None)

    def look(self) -> None:
        """Say what is due."""
        now = self._clock()
        for thread, begun in self._begun.copy().items():
            seconds = now - begun
            due = _RHYTHM.due(seconds) - 1  # its first one is due at once
            if due > self._said.get(thread, 0):
                self._log.warning("transform_slow", transform=self._name, seconds=round(seconds), note=_NOTE)
            self._said[thread] = due

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="transform-watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(self._look_seconds)
            self.look()
