"""The duty to make the replica, and to copy again what was lost: copy, then verify, until it is said to be in sync."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from processor.caretaker import steps
from processor.caretaker.duty import Job, Outcome, Standing
from processor.caretaker.lock import CareLock
from processor.errors import NotReadyError
from processor.flow.retry_policy import CARE, Backoff
from processor.reporting import moments
from processor.reporting.logs import Log
from processor.state.care_row import CareRow, Phase, Verified

# The same trouble is said again after this time, for whoever reads the log only now.
SAID_AGAIN_SECONDS = 3600.0


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
        step = (steps.verifying if care.phase == "verifying" else steps.copying)(standing, care)
        if step.job is None:
            self._wait(step.waits, lock)
            return None
        if self._clock() < self._not_before:
            return None
        if care.phase == "created":
            care = self._enter("copying", lock, standing)
        if care.trouble:
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
        return lock.note(phase=phase, phase_since_ms=standing.at_ms, **parts)

    def _wait(self, waits: str, lock: CareLock) -> None:
        if waits and lock.row.trouble != f"waits: {waits}":
            lock.note(trouble=f"waits: {waits}")
            self._log.info("replica_waits", phase=lock.row.phase, reason=waits)

    def ended(self, job: Job, outcome: Outcome, standing: Standing, lock: CareLock) -> None:
        """Whether a copy is complete is asked of its own row, at the next look."""
        if job.command == "copy" and outcome.status == 0:
            self._log.notice("replica_copied", items=outcome.report.get("items"), seconds=round(outcome.seconds, 1))
            self._succeeded()
        elif job.command == "verify" and outcome.report.get("complete"):
            self._verified(job, outcome, standing, lock)
        else:
            self._failed(job, outcome, lock)

    def _verified(self, job: Job, outcome: Outcome, standing: Standing, lock: CareLock) -> None:
        now_ms = int(time.time() * 1000)
        verified = verified_of(outcome.report, begun_ms=self._begun_ms or standing.at_ms, finished_ms=now_ms)
        if verified.different:
            lock.note(verified=verified)
            reason = f"{verified.different:,} keys differ, of {verified.equal + verified.different:,}"
            if self._is_news(job, reason, lock):
                self._log.error(
                    "replica_differs",
                    different=verified.different,
                    equal=verified.equal,
                    again_in_seconds=self._pause,
                    note=_DIFFERS,
                )
            return
        self._succeeded()
        lock.note(phase="in sync", phase_since_ms=now_ms, lost_ms=0, trouble=None, verified=verified)
        at = moments.short(verified.begun_ms)
        written = _count(outcome.report, "missing") + _count(outcome.report, "different") if verified.repaired else 0
        changing = _count(outcome.report, "changing")
        but = f", but for {changing:,} that change too often to tell" if changing else ""
        self._log.notice(
            "in_sync",
            verified_at=at,
            equal=verified.equal,
            written=written,
            deleted=verified.repaired - written,
            changing=changing,
            note=f"In sync, verified at {at}: all {verified.equal + written:,} items are equal{but}.",
        )

    def _failed(self, job: Job, outcome: Outcome, lock: CareLock) -> None:
        if not self._is_news(job, outcome.message, lock):
            return
        told: dict[str, Any] = {
            "command": job.command,
            "status": outcome.status,
            "reason": outcome.message,
            "again_in_seconds": self._pause,
        }
        if outcome.status == NotReadyError.exit_status:
            self._log.error("replica_refused", **told, note=_REFUSED)
        else:
            self._log.warning("replica_delayed", **told, note=_DELAYED)

    def _is_news(self, job: Job, reason: str, lock: CareLock) -> bool:
        """Note that the command is to be given again after a pause; whether that was not said lately."""
        self._pause = round(self._backoff.next_seconds())
        self._not_before = self._clock() + self._pause
        trouble = f"{job.command}: {reason}"
        lock.note(trouble=trouble)
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


def verified_of(report: dict[str, Any], *, begun_ms: int, finished_ms: int) -> Verified:
    """What a complete comparison has found, by what ``verify --json`` prints."""
    repaired = _count(report, "repaired")
    differing = sum(_count(report, name) for name in ("missing", "extra", "different"))
    return Verified(
        begun_ms=begun_ms,
        finished_ms=finished_ms,
        equal=_count(report, "equal"),
        different=differing - repaired,
        repaired=repaired,
    )


def _count(report: dict[str, Any], name: str) -> int:
    found = report.get(name, 0)
    return found if isinstance(found, int) else 0
