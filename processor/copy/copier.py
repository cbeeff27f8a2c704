"""One run of a copy: its segments side by side, until all are done or something ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from processor.apply import Outcome
from processor.copy.segment import Parts, SegmentCopy
from processor.copy.state import SegmentState
from processor.errors import ReplicatorError, StoppedError
from processor.scannable_table import Segment

SAY_SECONDS = 0.2


class Totals:
    """What is copied so far, runs before this one included; counted by any number of threads."""

    def __init__(self, states: Iterable[SegmentState]) -> None:
        self._lock = threading.Lock()
        self.items = 0
        self.size_bytes = 0
        self.set_aside = 0
        for state in states:
            self.items += state.items
            self.size_bytes += state.size_bytes
        self.items_before = self.items

    def add(self, outcome: Outcome, size_bytes: int) -> None:
        """Count items that were written."""
        with self._lock:
            self.items += outcome.records
            self.size_bytes += size_bytes
            self.set_aside += outcome.set_aside


def run(states: Sequence[SegmentState], parts: Parts, *, threads: int, say: Callable[[], None]) -> None:
    """Copy what is left of each segment.

    :param states: one for each segment
    :param threads: segments at once
    :param say: called now and then
    :raises StoppedError: the stop came first
    :raises ReplicatorError: the reason for which a segment could not go on; the others stop with it
    """
    segments = [SegmentCopy(Segment(state.number, len(states)), state, parts) for state in states if not state.done]
    with ThreadPoolExecutor(threads, thread_name_prefix="copy") as pool:
        pending = {pool.submit(segment.run) for segment in segments}
        reason: BaseException | None = None
        while pending:
            done, pending = wait(pending, timeout=SAY_SECONDS, return_when=FIRST_COMPLETED)
            for error in filter(None, (future.exception() for future in done)):
                parts.stop.set()
                # A failure says more than the stops that follow it.
                reason = error if reason is None or isinstance(reason, StoppedError) else reason
            try:
                say()
            except ReplicatorError as exc:
                parts.stop.set()
                reason = exc
    if reason is not None:
        raise reason
