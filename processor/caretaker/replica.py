"""The duty to make the replica, and to copy again what was lost: copy, then verify, until it is said to be in sync."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from processor.caretaker import steps
from processor.caretaker.duty import Job, Outcome, Standing
from processor.caretaker.lock import CareLock
from processor.errors import NotReadyError
from processor.flow.retry_policy import CARE, Backoff
from processor.reporting import moments
from processor.reporting.logs import Log
from processor.reporting.secrets import hidden
from processor.state.care_row import CareRow, Phase, Trouble

# The same trouble is said again after this time, for whoever reads the log only now.
SAID_AGAIN_SECONDS = 3600.0
# A comparison reads all of both tables. One that found differences is made again after this multiple of what it took:
# until somebody mends them, a tenth of the time is spent on it, and paid for.
DIFFERS_PAUSE = 9
# But no more rarely than by default a replica that is in sync is compared.
_LONGEST_PAUSE_SECONDS = 86400
# Of a reason that is stored; a row has room for 400 KB.
_MOST_CHARACTERS = 1000


class Replica:
    """See ``steps.py`` for what is done when. All that must not be forgotten is in the row."""

    name = "replica"

    def __init__(self, log: Log, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._backoff = Backoff(CARE)
        self._not_before = float("-inf")
        self._said: tuple[str, float] = ("", float("-inf"))
        self._begun_ms = 0
        self._pause = 0

    def due(self, standing: Standing, lock: CareLock) -> Job | None:
        """The next command for the replica."""
        care = self._with_loss(standing, lock)
        if care.phase in (None, "in sync"):
            return None
        if care.phase in ("created", "copying") and steps.copy_is_enough(standing, care):
            care = self._enter("verifying", lock, standing)
        step = steps.next_step(standing, care)
        if self._clock() < self._not_before:
            return None
        if step.job is None:
            self._wait(step.waits, lock, standing)
            return None
        if care.phase == "created":
            care = self._enter("copying", lock, standing)
        if care.trouble is not None and care.trouble.kind != "differs":  # which is so until a comparison says otherwise
            lock.note(trouble=None)
        self._begun_ms = standing.at_ms
        return step.job

    def _with_loss(self, standing: Standing, lock: CareLock) -> CareRow:
        care = lock.row
        lost_ms = steps.lost_anew(standing, care)
        if not lost_ms:
            return care
        self._log.warning("loss_to_be_copied", since=moments.short(lost_ms), note=_LOSS)
        return self._enter("copying", lock, standing, copy_after_ms=lost_ms, lost_ms=care.lost_ms or lost_ms)

    def _enter(self, phase: Phase, lock: CareLock, standing: Standing, **parts: Any) -> CareRow:
        self._succeeded()
        return lock.note(phase=phase, phase_since_ms=standing.at_ms, trouble=None, **parts)

    def _wait(self, waits: str, lock: CareLock, standing: Standing) -> None:
        known = lock.row.trouble
        needs_person = known is not None and known.kind in ("refused", "differs")  # and goes on doing so
        if waits and not needs_person and (known is None or (known.kind, known.reason) != ("waits", waits)):
            lock.note(trouble=Trouble(kind="waits", reason=waits, at_ms=standing.at_ms))
            self._log.info("replica_waits", phase=lock.row.phase, reason=waits)

    def ended(self, job: Job, outcome: Outcome, standing: Standing, lock: CareLock) -> None:
        """Whether a copy is complete is asked of its own row, at the next look."""
        if job.command == "copy" and outcome.status == 0:
            self._log.notice("replica_copied", items=outcome.report.get("items"), seconds=round(outcome.seconds, 1))
            self._succeeded()
        elif job.command == "verify" and outcome.report.get("complete"):
            self._compared(job, outcome, standing, lock)
        else:
            self._failed(job, outcome, standing, lock)

    def _compared(self, job: Job, outcome: Outcome, standing: Standing, lock: CareLock) -> None:
        equal, repaired = _count(outcome.report, "equal"), _count(outcome.report, "repaired")
        different = sum(_count(outcome.report, name) for name in ("missing", "extra", "different")) - repaired
        if different:
            reason = f"{different:,} keys differ, of {equal + different:,}"
            pause = min(DIFFERS_PAUSE * outcome.seconds, _LONGEST_PAUSE_SECONDS)
            if self._is_news("differs", job, reason, standing, lock, least_pause=pause):
                self._log.error(
                    "replica_differs",
                    different=different,
                    equal=equal,
                    again_in_seconds=self._pause,
                    note=_DIFFERS,
                )
            return
        self._succeeded()
        begun_ms = self._begun_ms or standing.at_ms
        lock.note(phase="in sync", phase_since_ms=begun_ms, lost_ms=0, trouble=None)
        at = moments.short(begun_ms)
        written = _count(outcome.report, "missing") + _count(outcome.report, "different") if repaired else 0
        changing = _count(outcome.report, "changing")
        but = f", but for {changing:,} that change too often to tell" if changing else ""
        self._log.notice(
            "in_sync",
            verified_at=at,
            equal=equal,
            written=written,
            deleted=repaired - written,
            changing=changing,
            note=f"In sync, verified at {at}: all {equal + written:,} items are equal{but}.",
        )

    def _failed(self, job: Job, outcome: Outcome, standing: Standing, lock: CareLock) -> None:
        is_refused = outcome.status == NotReadyError.exit_status
        if not self._is_news("refused" if is_refused else "delayed", job, outcome.message, standing, lock):
            return
        told: dict[str, Any] = {
            "command": job.command,
            "status": outcome.status,
            "reason": outcome.message,
            "again_in_seconds": self._pause,
        }
        if is_refused:
            self._log.error("replica_refused", **told, note=_REFUSED)
        else:
            self._log.warning("replica_delayed", **told, note=_DELAYED)

    def _is_news(
        self,
        kind: Literal["delayed", "refused", "differs"],
        job: Job,
        reason: str,
        standing: Standing,
        lock: CareLock,
        *,
        least_pause: float = 0.0,
    ) -> bool:
        """Note that the command is to be given again after a pause; whether that was not said lately."""
        self._pause = round(max(self._backoff.next_seconds(), least_pause))
        self._not_before = self._clock() + self._pause
        stored = hidden(reason)[:_MOST_CHARACTERS]
        lock.note(trouble=Trouble(kind=kind, reason=stored, at_ms=standing.at_ms, command=job.command))
        trouble = f"{job.command}: {reason}"
        said, at = self._said
        if trouble == said and self._clock() - at < SAID_AGAIN_SECONDS:
            return False
        self._said = trouble, self._clock()
        return True

    def _succeeded(self) -> None:
        self._backoff.reset()
        self._not_before = float("-inf")
        self._said = ("", float("-inf"))


_LOSS = (
    "The stream has lost changes. The table is copied again by itself, beside the replication (afterLoss=copy); then "
    "it is verified and repaired, and what only the destination has is deleted there."
)
_DELAYED = (
    "Replication goes on. The command is given again by itself, and goes on where it was. The file COMMAND.log beside "
    "replication.log has all that it said."
)
_REFUSED = (
    "Replication goes on. What the reason says must be put right; the command is given again by itself. The file "
    "COMMAND.log beside replication.log has all that it said."
)
_DIFFERS = (
    "The copy is complete, and the destination does not equal the source. Run verify, which names the keys; verify "
    "--repair makes them equal. It is verified again by itself."
)


def _count(report: dict[str, Any], name: str) -> int:
    found = report.get(name, 0)
    return found if isinstance(found, int) else 0
