"""Tells of changes of a task's health, by a thread of its own: whoever looks at the task waits for nobody.

::

    see:  a look ─▶ noted                                what has arrived is noted in the caretakers' row
                      │                                                   ▲
    thread:           └─▶ a change that is due? ─▶ message ─▶ sent ───────┘
                              ▲                       └─ not taken ─▶ said once ─▶ a pause
                              └────────────────────────────────────────────────────┘

What is sent is made of the newest look each time. So while the receiver is away nothing piles up, and when it is back
it gets how the task stands then. A message that has arrived just before this process ends may be sent again by the
next one, with the same number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from processor.caretaker.duty import Standing
from processor.caretaker.lock import CareLock
from processor.caretaker.notify import notice, told
from processor.caretaker.notify.change import Change, Changes
from processor.caretaker.notify.health import standing_of
from processor.caretaker.notify.sender import Send
from processor.caretaker.notify.told import Told
from processor.errors import RefusedError, UnavailableError
from processor.flow.outage import Outage
from processor.flow.retry_policy import NOTICES, Backoff
from processor.reporting.logs import Log
from processor.settings.task_file import TaskFile

_NOTE = (
    "Nobody is told there how the task stands; replication and everything else go on. It is tried again by itself, "
    "and then the newest is told. Look at notifyUri, at the receiver, and at what the reason says."
)
_BUG = "BUG: a message could not be made or sent. Everything else goes on; please report it."
# The daemon hands no file's name down: commands in messages say FILE.
_FILE = TaskFile(path="")
# Before the first look.
_NOBODY = "nobody"
# What was seen longer ago is told no more: the lock is lost, and another caretaker tells. Looks are a minute apart.
STALE_SECONDS = 150.0


class Notifier:
    """An observer of the caretaker's looks.

    :param to: where messages go, as it is shown to people
    :param clock: seconds since the epoch
    :param sleep: waits for so many seconds
    """

    def __init__(
        self,
        send: Send,
        *,
        to: str,
        log: Log,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._send = send
        self._to = to
        self._clock = clock
        self._log = log
        self._outage = Outage(log, "notice_not_sent", note=_NOTE, rhythm=NOTICES.rhythm)
        self._backoff = Backoff(NOTICES)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._changes: Changes | None = None
        self._standing: Standing | None = None
        self._unnoted: Told | None = None
        self._holder = _NOBODY
        self._thread: threading.Thread | None = None

    def see(self, standing: Standing, lock: CareLock) -> None:
        """One more look. Returns at once, but for the row that it may write."""
        with self._lock:
            if self._changes is None or standing.care.holder != self._holder:
                self._holder = standing.care.holder
                self._begin(told.read(standing.care.notified))
            assert self._changes is not None  # noqa: S101  # by the lines above
            self._changes.see(standing_of(standing.report), now=standing.at)
            self._standing = standing
            unnoted = self._unnoted
            self._woken.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
                self._thread.start()
        if unnoted is not None:
            lock.note(notified=told.kept(unnoted))
            with self._lock:
                self._unnoted = None if self._unnoted is unnoted else self._unnoted

    def _begin(self, last: Told | None) -> None:
        """Go on after what was told last, by this process or another."""
        ours = self._unnoted
        if ours is not None and (last is None or ours.number > last.number):
            last = ours  # it arrived when the lock was lost
        else:
            self._unnoted = None
        self._changes = Changes(last, to=self._to)

    def _run(self) -> None:
        while self._is_wanted():
            try:
                self._tell()
            except (UnavailableError, RefusedError) as exc:
                self._outage.failed(exc.code, str(exc))
                self._sleep(self._backoff.next_seconds())
                self._woken.set()
            except Exception as exc:  # noqa: BLE001  # the next look may do
                # Without its words, which may have the URL.
                self._log.error("notice_failed", error=type(exc).__name__, note=_BUG)

    def _is_wanted(self) -> bool:
        """Wait for a look; False, and the thread ends, where none comes any more."""
        self._woken.wait(STALE_SECONDS)
        with self._lock:
            if not self._woken.is_set():
                self._thread = None
                return False
            self._woken.clear()
            return True

    def _tell(self) -> None:
        with self._lock:
            changes, standing = self._changes, self._standing
            now = self._clock()
            if changes is None or standing is None or now - standing.at > STALE_SECONDS:
                return
            change = changes.due(now=now)
        if change is None:
            return
        self._send(notice.of(change, standing.report, standing.settings, _FILE))
        self._outage.succeeded()
        self._backoff.reset()
        self._arrived(changes, change)

    def _arrived(self, changes: Changes, change: Change) -> None:
        with self._lock:
            changes.say(change)
            if changes is self._changes:
                self._unnoted = change.told
        self._log.info(
            "notice_sent", to=self._to, number=change.told.number, event_told=change.event, health=change.told.health
        )
