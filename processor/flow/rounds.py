"""Does one thing again and again, in a thread of its own, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.errors import RefusedError, UnavailableError
from processor.flow.outage import Outage

if TYPE_CHECKING:
    from typing_extensions import Self


class Rounds:
    """What fails is said by the outage, and the next round tries again. As a context it begins, and ends, with that.

    :param act: done once a round
    :param name: the thread's
    :param every_seconds: from the end of one round to the begin of the next
    """

    def __init__(self, act: Callable[[], object], *, name: str, every_seconds: float, outage: Outage) -> None:
        self._act = act
        self._every_seconds = every_seconds
        self._outage = outage
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round in progress, if there is one."""
        self._stop.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.do()
            self._stop.wait(self._every_seconds)

    def do(self) -> None:
        """One round."""
        try:
            self._act()
        except (RefusedError, UnavailableError) as exc:
            self._outage.failed(exc.code, str(exc))
        else:
            self._outage.succeeded()
