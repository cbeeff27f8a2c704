"""Does one part of a shared verification in the thread that asks, and sees that both sides of it belong together.

DynamoDB puts an item into a segment by a hash of its partition key (developer guide, "Parallel scan"). So a segment of
one table has the same keys as that of the other, if both are read in equally many. That is not promised. So what only
one side of a part has is looked up in the other table, and nothing is called missing because it lies elsewhere. But if
most items lay elsewhere, each would be read by itself, at many times a scan's price: then it ends, and says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from processor.commands.verify.crew import Taker
from processor.commands.verify.part import Part, PartQueue, Stretch
from processor.commands.verify.worker import VerifyWorker
from processor.errors import NotReadyError
from processor.flow.worker_group import TICK_SECONDS, WorkerGroup

# Where so many items were looked up, and fewer than one in a hundred of them differed, a bucket differs for another
# reason than its items: it has some dozens of them at most.
_LOOKED_UP = 2_000
_FEWEST_DIFFERING = 0.01
# And more buckets than these differ.
_MOST_BUCKETS = 0.25


class PartCrew:
    """Implements ``crew.Crew``.

    :param marks: the buckets that differ, a byte for each, as the comparison marks them
    :param slots: how many parts of this process are read at once; the others wait for their keys to be read again
    :param counted: called with the numbers of items that were read for the sums
    """

    threads = 1

    def __init__(
        self,
        worker: VerifyWorker,
        marks: bytearray,
        *,
        workers: WorkerGroup,
        slots: threading.Semaphore,
        counted: Callable[[int], None],
    ) -> None:
        self._worker = worker
        self._marks = marks
        self._workers = workers
        self._slots = slots
        self._counted = counted
        self._items = 0
        self._looked_up = 0
        self._differing = 0

    def run(self, parts: PartQueue, taker: Taker) -> None:
        """See ``Crew``."""
        while (part := parts.next(0)) is not None:
            with self._slots:
                self._worker.do(part, partial(self._tell, part, parts, taker))

    def _tell(self, part: Part, parts: PartQueue, taker: Taker, stretch: Stretch) -> None:
        parts.go_on(stretch.rest)
        taker.take(stretch)
        if part.looked_up is None:
            self._items += stretch.scanned.get("source", 0)
            self._counted(sum(stretch.scanned.values()))
        elif part.looked_up == "source":
            self._insist_alike(stretch)
        while not taker.has_room:
            self._workers.check()
            self._workers.stop.wait(TICK_SECONDS)

    def _insist_alike(self, stretch: Stretch) -> None:
        self._looked_up += stretch.looked_up
        self._differing += len(stretch.keys)
        if self._looked_up < _LOOKED_UP or self._differing >= self._looked_up * _FEWEST_DIFFERING:
            return
        if len(self._marks) - self._marks.count(0) > min(len(self._marks), self._items) * _MOST_BUCKETS:
            message = (
                "The segments of the two tables do not hold the same keys, so verify --shared would have to read each "
                "item by itself, at many times a scan's price. It has ended; what was found so far is in the report. "
                "Give verify without --shared: it compares both tables as a whole, on one machine."
            )
            raise NotReadyError(message)
