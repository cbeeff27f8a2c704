"""Looks after one task: seeks the lock, looks at the task now and then, and does what is due.

::

    seek the lock ─▶ look ─▶ tell the observers ─▶ no job under way: ask each duty what is due ─▶ begin the job
       ▲               ▲                                                                            │
       │               └──────────── at the pace of pace.py, and when a job has ended ◀──────────────┘
       └── lost: the job is ended
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from processor.caretaker.duty import Duty, Job, Observer, Outcome, Standing
from processor.caretaker.lock import CareLock
from processor.caretaker.pace import look_seconds
from processor.caretaker.work import Work
from processor.errors import CareTakenError, RefusedError, ReplicatorError, UnavailableError
from processor.flow.outage import Outage
from processor.reporting.logs import Log

# After a look that failed.
LOOK_SECONDS = 10.0
# While a replica is made, and nothing but a look shows that the next step can be made: for a minute after the last.
BUSY_LOOK_SECONDS = 2.0
BUSY_SECONDS = 60.0
# How often a job's end is looked for, and the lock.
TICK_SECONDS = 0.5
# Between two looks at a lock that another caretaker holds.
SEEK_SECONDS = 10.0


class Caretaker:
    """Does so in one thread, until it is told to stop.

    :param look: looks at the task
    :param begin: starts a job; where it can't, that is told as the job's own failure
    :param duties: asked in this order
    :param observers: told of each look
    """

    def __init__(
        self,
        lock: CareLock,
        *,
        look: Callable[[CareLock], Standing],
        begin: Callable[[Job], Work],
        duties: Sequence[Duty],
        observers: Sequence[Observer],
        outage: Outage,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = lock
        self._look = look
        self._begin = begin
        self._duties = duties
        self._observers = observers
        self._outage = outage
        self._log = log
        self._clock = clock
        self._work: tuple[Duty, Work] | None = None
        # Of a job that has ended, until its duty has noted it.
        self._outcome: tuple[Duty, Job, Outcome] | None = None
        self._standing: Standing | None = None
        self._next_look = float("-inf")
        self._next_seek = float("-inf")
        self._held_since = float("-inf")
        self._stepped_at = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Look after the task until ``stop``; then the job under way is ended, and the lock given up."""
        while not stop.wait(TICK_SECONDS):
            self.tick()
        self._end_work()
        self._lock.leave()

    def tick(self) -> None:
        """Do what is to be done now."""
        try:
            if not self._lock.is_held:
                self._end_work()
                self._seek()
            if self._lock.is_held:
                self._see_to_it()
        except CareTakenError:
            self._end_work()
        except (UnavailableError, RefusedError) as exc:
            self._outage.failed(exc.code, str(exc))
            self._next_look = self._clock() + LOOK_SECONDS
        except Exception as exc:  # noqa: BLE001  # replication must not depend on it, and the next look may do
            self._log.error("caretaker_failed", error=f"{type(exc).__name__}: {exc}", trace=True, note=_BUG)
            self._next_look = self._clock() + LOOK_SECONDS

    def _seek(self) -> None:
        now = self._clock()
        if now < self._next_seek:
            return
        self._next_seek = now + SEEK_SECONDS
        if self._lock.seek():
            self._next_look = self._held_since = self._stepped_at = now
            self._log.info("caretaker_begun")

    def _see_to_it(self) -> None:
        self._conclude()
        if self._clock() < self._next_look:
            return
        self._tell_outcome()
        self._standing = standing = self._look(self._lock)
        now = self._clock()
        self._next_look = now + look_seconds(
            standing, held_seconds=now - self._held_since, is_working=self._work is not None
        )
        self._outage.succeeded()
        for observer in self._observers:
            observer.see(standing, self._lock)
        self._begin_what_is_due(standing)
        is_busy = self._work is None and self._lock.row.phase not in (None, "in sync")
        if is_busy and now - self._stepped_at < BUSY_SECONDS:
            self._next_look = now + BUSY_LOOK_SECONDS

    def _asked(self) -> Sequence[Duty]:
        """The duties that may have a job begun now."""
        if self._work is None:
            return self._duties
        duty, work = self._work
        return self._duties[: self._duties.index(duty)] if work.job.gives_way else ()

    def _begin_what_is_due(self, standing: Standing) -> None:
        for duty in self._asked():
            job = duty.due(standing, self._lock)
            if job is not None:
                self._end_work()
                try:
                    self._work = duty, self._begin(job)
                except (OSError, ReplicatorError) as exc:  # no memory, no files left, no folder: it may be begun later
                    reason = f"{job.command} can't be started on this machine: {exc}"
                    failed = Outcome(status=ReplicatorError.exit_status, report={"error": reason}, seconds=0.0)
                    self._outcome = duty, job, failed
                    return
                self._log.notice("care_work_begun", duty=duty.name, command=job.command, why=job.why or None)
                return

    def _conclude(self) -> None:
        if self._work is None:
            return
        duty, work = self._work
        outcome = work.poll()
        if outcome is not None:
            self._work, self._outcome = None, (duty, work.job, outcome)
            self._next_look, self._stepped_at = float("-inf"), self._clock()

    def _tell_outcome(self) -> None:
        """A job that has ended is its duty's news; where that can't be noted, it is told again at the next look."""
        if self._outcome is None or self._standing is None:
            return
        duty, job, outcome = self._outcome
        duty.ended(job, outcome, self._standing, self._lock)
        self._outcome = None

    def _end_work(self) -> None:
        self._outcome = None
        if self._work is not None:
            _, work = self._work
            self._work = None
            work.stop()


_BUG = "BUG: the process that looks after this task met an error that nobody foresaw. It goes on; please report it."
