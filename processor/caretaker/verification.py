"""Has both tables compared, every so often, and says what was found.

A pass is a run of ``verify --rolling``, which keeps in the task's row how far it is, and ends with what it has found
(``state/verification_row.py``). It may take hours, and gives way to what is more urgent: it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processor.caretaker.duty import Job, Outcome, Standing
from processor.reporting.secrets import hidden
from processor.state import verification_row
from processor.state.verification_row import Failure
from processor.system import program

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.caretaker.lock import CareLock
    from processor.reporting.logs import Log
    from processor.state.status.verification import Verification

# From a run that has failed to the next one.
AGAIN_SECONDS = 600
_EQUAL, _DIFFERENT = 0, 1
_INTERRUPTED = 128
# Of a reason that is stored; a row has room for 400 KB.
_MOST_CHARACTERS = 1000


class VerificationDuty:
    """Implements ``duty.Duty``.

    :param connect: makes a client of the task table
    """

    name = "verification"

    def __init__(self, connect: Callable[[], DynamoDBClient], *, log: Log) -> None:
        self._connect = connect
        self._log = log

    def due(self, standing: Standing, lock: CareLock) -> Job | None:  # noqa: ARG002  # as a duty's
        """See ``duty.Duty``; while the replica is not there yet, nothing is to be compared."""
        found = standing.seen.verification
        is_made = standing.care.phase in {None, "in sync"} and (standing.copy is None or standing.copy.state == "done")
        if found is None or not is_made or not is_due(found, standing.at_ms):
            return None
        why = "it goes on where it was" if found.running else ""
        return Job(command="verify", options=("--rolling",), why=why, gives_way=True)

    def ended(self, job: Job, outcome: Outcome, standing: Standing, lock: CareLock) -> None:  # noqa: ARG002
        """See ``duty.Duty``."""
        if outcome.status in {_EQUAL, _DIFFERENT}:
            self._say(outcome.report, standing)
        elif 0 < outcome.status < _INTERRUPTED or outcome.status < 0:
            reason = hidden(outcome.message)[:_MOST_CHARACTERS]
            self._log.warning(
                "verification_failed",
                reason=reason,
                again_in_seconds=AGAIN_SECONDS,
                note="Replication goes on. What both tables have in common by then is kept, and it goes on from there.",
            )
            failure = Failure(at_ms=standing.at_ms, reason=reason)
            verification_row.fail(self._connect(), standing.settings.task_table, failure)

    def _say(self, report: dict[str, Any], standing: Standing) -> None:
        counts: dict[str, Any] = {
            name: int(report.get(name, 0)) for name in ("equal", "missing", "extra", "different", "repaired")
        }
        left = counts["missing"] + counts["extra"] + counts["different"] - counts["repaired"]
        table = f"{standing.settings.destination_table} in {standing.settings.destination_region}"
        if left:
            self._log.error(
                "verification_found_differences",
                table=table,
                **counts,
                left=left,
                note="These keys are not at the destination as they are at the source, and stay so until a newer "
                f"change of theirs, or a repair. {program.COMMAND} verify FILE names them; --repair writes what is "
                "missing or different, and with --deleteExtra deletes what only the destination has.",
            )
        elif counts["repaired"]:
            self._log.notice("verification_repaired", table=table, **counts, note="Now both tables are equal.")
        else:
            self._log.info("verification_done", table=table, **counts)


def is_due(found: Verification, at_ms: int) -> bool:
    """Whether a pass is to be begun, or gone on with.

    :param at_ms: now, milliseconds since the epoch
    """
    if found.failure is not None and 0 <= at_ms - found.failure.at_ms < AGAIN_SECONDS * 1000:
        return False
    if found.running is not None or found.last is None:
        return True
    # A moment in the future is of a clock that was wrong.
    return not 0 <= at_ms - found.last.through_ms < found.every_seconds * 1000
