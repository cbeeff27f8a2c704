"""What is to be done next for a replica, by how the task stands. Pure.

::

    created ──▶ copying ──▶ verifying ──▶ in sync
                  ▲  │ a copy that will do is complete                     no shard is lost, all are up to date,
                  │  └──────────────────▶   │ equal, or made equal           then it is compared
                  │                         ▼
                  └──────── a loss ◀──── in sync            where afterLoss=copy
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from processor.caretaker.duty import Job, Standing
from processor.dynamodb.stream_retention import LAST_START_SECONDS
from processor.state.care_row import CareRow
from processor.state.copy_rows import CopyState
from processor.state.status.shard_judgement import slack_seconds

# As far as the clocks of two machines may differ; the daemon allows as much (LastCopy.java).
CLOCKS_DIFFER_MS = 60_000
# A replica that is further behind isn't compared: what differs then would only not have arrived yet.
UP_TO_DATE_SECONDS = 60.0

Waits = Literal[
    "",
    "no daemon replicates",
    "not all of the task could be read",
    "changes are lost",
    "a change is held",
    "replication is behind",
    "another machine's clock is ahead",
]
# What a step follows from: if it could not be read, there may be more of it than was seen.
_OF_COPYING = frozenset({"leases", "task", "destination"})
_OF_VERIFYING = _OF_COPYING | {"holds", "stream", "lag"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done next.

    :param job: the command to run now; None to wait
    :param waits: what is waited for, for people; empty where nothing is to be done
    """

    job: Job | None = None
    waits: Waits = ""


def newest_loss_ms(standing: Standing) -> int:
    """When the newest loss was found that no copy has made good; 0 if there is none."""
    return max((hold.since_ms for hold in standing.seen.holds if hold.kind == "loss"), default=0)


def lost_anew(standing: Standing, care: CareRow) -> int:
    """Since when changes are lost that the copy which is under way, or was made last, has not; 0 if there are none."""
    if standing.settings.after_loss != "copy":
        return 0
    lost_ms = newest_loss_ms(standing)
    if lost_ms > care.copy_after_ms:
        return lost_ms
    copy = standing.copy
    is_complete = copy is not None and copy.state == "done" and care.phase in ("verifying", "in sync")
    # The stream no longer has all that was changed since that copy began, so the daemons don't go on by it.
    return standing.at_ms if lost_ms and is_complete and _is_too_old(standing) else 0


def _is_too_old(standing: Standing) -> bool:
    copy = standing.copy
    return copy is not None and copy.started_ms < standing.at_ms - LAST_START_SECONDS * 1000


def copy_is_enough(standing: Standing, care: CareRow) -> bool:
    """Whether a copy is complete that has all that it should have."""
    copy = standing.copy
    is_known = copy is not None and _could_read(standing, _OF_COPYING)
    return copy is not None and is_known and copy.state == "done" and _will_do(copy, standing, care)


def _will_do(copy: CopyState, standing: Standing, care: CareRow) -> bool:
    task, destination = standing.seen.task, standing.seen.destination or {}
    is_of_stream = task is None or copy.stream_arn == task.stream_arn
    is_of_table = copy.destination_id in ("", destination.get("TableId", copy.destination_id))
    return copy.started_ms > care.copy_after_ms - CLOCKS_DIFFER_MS and is_of_stream and is_of_table


def next_step(standing: Standing, care: CareRow) -> Step:
    """What is to be done, or waited for, in the phase that the row says."""
    is_verifying = care.phase == "verifying"
    if not _could_read(standing, _OF_VERIFYING if is_verifying else _OF_COPYING):
        return Step(waits="not all of the task could be read")
    return verifying(standing, care) if is_verifying else copying(standing, care)


def _could_read(standing: Standing, parts: frozenset[str]) -> bool:
    return parts.isdisjoint(unread.what for unread in standing.seen.unread)


def copying(standing: Standing, care: CareRow) -> Step:
    """The next step while no copy is complete that will do."""
    if standing.report.state != "running":
        return Step(waits="no daemon replicates")
    if standing.at_ms <= care.copy_after_ms - CLOCKS_DIFFER_MS:  # a copy that is begun now won't do either
        return Step(waits="another machine's clock is ahead")
    copy = standing.copy
    if copy is None:
        return Step(job=Job(command="copy", options=("--concurrent",), why="a new replica"))
    if copy.state == "running" and _will_do(copy, standing, care):
        return Step(job=Job(command="copy", options=("--concurrent",), why="what is left of the copy"))
    return Step(job=Job(command="copy", options=("--concurrent", "--restart"), why=_why(care)))


def _why(care: CareRow) -> str:
    return "changes were lost" if care.lost_ms else "there is no copy that will do"


def is_up_to_date(standing: Standing) -> bool:
    """Whether all shards are about as far as the source, as far as that can be known."""
    report = standing.report
    may_be_less = slack_seconds(about=report.lag_about, interval_seconds=report.checkpoint_interval_seconds)
    return report.lag_seconds is not None and report.lag_seconds - may_be_less <= UP_TO_DATE_SECONDS


def verifying(standing: Standing, care: CareRow) -> Step:
    """The next step while the copy is complete, and nobody knows yet what came of it.

    After a loss, what differs is made equal: above all, what was deleted at the source meanwhile is still there.
    """
    report = standing.report
    if report.state != "running":
        return Step(waits="no daemon replicates")
    if newest_loss_ms(standing):
        return Step(waits="changes are lost")
    if standing.seen.holds:
        return Step(waits="a change is held")
    if not is_up_to_date(standing):
        return Step(waits="replication is behind")
    if care.lost_ms:
        return Step(job=Job(command="verify", options=("--repair", "--deleteExtra"), why="changes were lost"))
    return Step(job=Job(command="verify", why="a new replica"))
