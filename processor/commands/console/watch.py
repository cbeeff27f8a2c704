"""Looks at the tasks for all tabs together: often while one is open, and once a minute while none is.

::

    a tab is open      a look at all of the task every interval, and a glance at its leases five times as often
    none is open       a look a minute, so that whoever opens one sees the last quarter of an hour
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import msgspec

from processor.commands.console.history import History
from processor.commands.console.known import Known
from processor.reporting import ending, output
from processor.settings.named_task import NamedTask
from processor.settings.settings import Settings
from processor.state.status import report
from processor.state.status.follower import Follower
from processor.state.status.letters import CountLetters
from processor.state.status.looks import AT_ONCE, judged
from processor.state.status.report import StatusReport
from processor.state.status.snapshot import Seen
from processor.state.status.task_status import TaskStatus
from processor.system import program

UNWATCHED_SECONDS = 60.0
GLANCES_PER_LOOK = 5
_LEAST_GLANCE_SECONDS = 1.0
_LOOK_SECONDS = 10.0
_TURN_SECONDS, _IDLE_TURN_SECONDS = 0.1, 1.0
# Files are looked at as often as a daemon of many tasks does it, so that what comes is there within 5 s.
FOLLOW_SECONDS = 0.5
# For the last looks at the end.
_ENDING_SECONDS = _LOOK_SECONDS

Publish = Callable[[Known], None]


def glance_seconds(interval_seconds: float) -> float:
    """How often leases are looked at."""
    return max(interval_seconds / GLANCES_PER_LOOK, _LEAST_GLANCE_SECONDS)


def stale_seconds(interval_seconds: float) -> float:
    """How old a page may be at most while all is well: a few glances, and the time that a look may take."""
    return 3 * glance_seconds(interval_seconds) + _LOOK_SECONDS


class TaskWatch:
    """Looks at one task, from one thread at a time.

    :param clock: seconds since the epoch
    """

    def __init__(
        self,
        topic: str,
        task: NamedTask,
        *,
        letters: CountLetters,
        interval_seconds: float,
        max_lag_seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.task = task
        self._max_lag_seconds = max_lag_seconds
        self._clock = clock
        self._follower = Follower(task.settings, letters) if task.settings else None
        self._history = History(interval_seconds=interval_seconds)
        self.known = Known(topic=topic, found=TaskStatus(task=task, exit_status=None))

    def look(self) -> Known:
        """Look at all of it."""
        return self._found(is_glance=False)

    def glance(self) -> Known:
        """Look at its leases."""
        return self._found(is_glance=True)

    def _found(self, *, is_glance: bool) -> Known:
        at_ms = int(self._clock() * 1000)
        seen: list[Seen] = []

        def make(_: NamedTask, settings: Settings) -> StatusReport:
            assert self._follower is not None  # noqa: S101  # there are settings
            seen.append(self._follower.glance() if is_glance else self._follower.look())
            return report.make(settings, seen[-1], max_lag_seconds=self._max_lag_seconds)

        found = judged(self.task, make)
        known = msgspec.structs.replace(self.known, found=found, at_ms=at_ms)
        if seen and self._follower is not None and found.report is not None:
            if not is_glance:
                self._history.add(at_ms, seen[-1].shards, seen[-1].lags, found.report.lag_seconds)
            known = msgspec.structs.replace(
                known,
                lags=seen[-1].lags,
                bounded=self._follower.bounded,
                samples=self._history.samples(),
                latest=self._history.latest(),
            )
        self.known = known
        return known


class Watch:
    """Looks at all of them, in threads of its own.

    :param tabs: how many are open now
    :param opened: set when one is opened
    :param follow: asked now and then: those to be looked at from now on, if they are others than before
    """

    def __init__(
        self,
        watches: Sequence[TaskWatch],
        *,
        interval_seconds: float,
        tabs: Callable[[], int],
        opened: threading.Event,
        follow: Callable[[], Sequence[TaskWatch] | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns = [_Turn(each) for each in watches]
        self._follow = follow
        self._interval_seconds = interval_seconds
        self._glance_seconds = glance_seconds(interval_seconds)
        self._tabs = tabs
        self._opened = opened
        self._clock = clock
        self._followed_at = float("-inf")
        self._fault = ""
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")
        self._thread: threading.Thread | None = None

    def start(self, publish: Publish) -> None:
        """Begin.

        :param publish: told of each look, in any thread
        """
        self._thread = threading.Thread(target=self._run, args=(publish,), name="looks", daemon=True)
        self._thread.start()

    def stop(self, publish: Publish, *, looks_again: bool) -> None:
        """End, after a last look where that is wanted and somebody reads it."""
        self._stop.set()
        self._opened.set()
        if self._thread is not None:
            self._thread.join()
        if looks_again and self._tabs():
            last = [self._pool.submit(turn.take, publish, is_glance=False) for turn in self._turns]
            wait_for(last, timeout=_ENDING_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, publish: Publish) -> None:
        while not self._stop.is_set():
            is_read = bool(self._tabs())
            look = self._interval_seconds if is_read else max(UNWATCHED_SECONDS, self._interval_seconds)
            glance = self._glance_seconds if is_read else None
            self._turns = self._followed(self._clock())
            for turn in self._turns:
                kind = turn.due(self._clock(), look=look, glance=glance)
                if kind is not None:
                    self._pool.submit(turn.take, publish, is_glance=kind == "glance")
            self._opened.wait(_TURN_SECONDS if is_read else _IDLE_TURN_SECONDS)
            self._opened.clear()

    def _followed(self, now: float) -> list[_Turn]:
        """The turns of those that there are now; of one that stays, its own."""
        if now - self._followed_at < FOLLOW_SECONDS:
            return self._turns
        self._followed_at = now
        try:
            watches = self._follow()
        except Exception as exc:  # noqa: BLE001  # a bug: the page goes on with the tasks that it has
            if repr(exc) != self._fault:
                self._fault = repr(exc)
                output.say(f"{program.NAME}: {ending.of(exc).message}")
            return self._turns
        if watches is None:
            return self._turns
        turns = {id(turn.watch): turn for turn in self._turns}
        return [turns.get(id(each)) or _Turn(each) for each in watches]


class _Turn:
    """When a task was looked at, and whether it is just being."""

    def __init__(self, watch: TaskWatch) -> None:
        self.watch = watch
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        self._busy = False
        self._looked: float | None = None
        self._glanced = 0.0

    def due(self, now: float, *, look: float, glance: float | None) -> str | None:
        """What is to be done now, which counts as begun; one at a time, however long it takes."""
        with self._lock:
            if self._busy:
                return None
            if self._looked is None or now - self._looked >= look:
                self._looked = self._glanced = now
                self._busy = True
                return "look"
            if glance is not None and now - self._glanced >= glance:
                self._glanced = now
                self._busy = True
                return "glance"
            return None

    def take(self, publish: Publish, *, is_glance: bool) -> None:
        """Do it, after what is just being done: the last look at the end is nobody's turn."""
        try:
            with self._taking:
                publish(self.watch.glance() if is_glance else self.watch.look())
        except Exception as exc:  # noqa: BLE001  # a bug: the page grows stale, and other tasks' pages go on
            output.say(f"{program.NAME}: {ending.of(exc).message}")
        finally:
            with self._lock:
                self._busy = False
