"""Reads now and then what the task's verifications have found, for its metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable

from processor.errors import RefusedError, UnavailableError
from processor.flow.outage import Outage
from processor.state.verification_row import VerificationState

_SECONDS = 60.0


class VerificationReader:
    """Reads in a thread of its own, until it is stopped. Each daemon does, so whichever is asked knows.

    :param read: reads the task's row
    :param tell: called with each row that was read
    """

    def __init__(
        self,
        *,
        read: Callable[[], VerificationState | None],
        tell: Callable[[VerificationState], None],
        outage: Outage,
    ) -> None:
        self._read = read
        self._tell = tell
        self._outage = outage
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verification-reader", daemon=True)

    def start(self) -> None:
        """Begin at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the read in progress, if there is one."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(_SECONDS)

    def look(self) -> None:
        """Read once, and tell."""
        try:
            found = self._read()
        except (RefusedError, UnavailableError) as exc:
            self._outage.failed(exc.code, str(exc))
            return
        self._outage.succeeded()
        if found is not None:
            self._tell(found)
