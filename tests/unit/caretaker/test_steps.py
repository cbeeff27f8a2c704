"""What is to be done next for a replica, by how the task stands."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from processor.caretaker import steps
from processor.state.care_row import CareRow
from tests.fakes.task.tasks import task
from tests.unit.caretaker.standing import HOUR_MS, NOW_MS, copy, loss, standing

SETTINGS = task(bootstrap="true", afterLoss="copy")
BEGUN = CareRow(phase="created", copy_after_ms=NOW_MS - 2 * HOUR_MS)


@pytest.mark.parametrize(
    ("copied", "options"),
    [
        (None, ("--concurrent",)),
        (copy(state="running"), ("--concurrent",)),
        (copy(state="running", stream_arn="another"), ("--concurrent", "--restart")),
        (copy(state="running", destination_id="another"), ("--concurrent", "--restart")),
        (copy(started_ms=NOW_MS - 3 * HOUR_MS), ("--concurrent", "--restart")),
        (copy(state="running", started_ms=NOW_MS - 3 * HOUR_MS), ("--concurrent", "--restart")),
    ],
)
def test_a_copy_goes_on_unless_it_will_not_do(copied: Any, options: tuple[str, ...]) -> None:
    """One of another stream or table, or of before the beginning, is begun anew; any other is gone on with."""
    step = steps.copying(standing(SETTINGS, BEGUN, copied=copied), BEGUN)
    assert step.job is not None
    assert (step.job.command, step.job.options) == ("copy", options)


@pytest.mark.parametrize(
    ("copied", "is_enough"),
    [
        (None, False),
        (copy(), True),
        (copy(state="running"), False),
        (copy(stream_arn="another"), False),
        (copy(destination_id="another"), False),
        (copy(destination_id=""), True),
        (copy(started_ms=BEGUN.copy_after_ms - 1), True),  # by another machine's clock
        (copy(started_ms=BEGUN.copy_after_ms - steps.CLOCKS_DIFFER_MS), False),
    ],
)
def test_which_copy_is_enough(copied: Any, is_enough: bool) -> None:  # noqa: FBT001  # the outcome
    """A complete one, into this table, of this stream, that was begun late enough."""
    assert steps.copy_is_enough(standing(SETTINGS, BEGUN, copied=copied), BEGUN) == is_enough


@pytest.mark.parametrize(
    ("seen", "waits"),
    [
        ({}, ""),
        ({"alive": False}, "no daemon replicates"),
        ({"holds": (loss(NOW_MS),)}, "changes are lost"),
        ({"lag_seconds": 61.0}, "replication is behind"),
        ({"lag_seconds": None}, "replication is behind"),
    ],
)
def test_nothing_is_compared_before_it_has_arrived(seen: Any, waits: str) -> None:
    """What differs then would only not be there yet."""
    step = steps.verifying(standing(SETTINGS, BEGUN, **seen), BEGUN)
    assert (step.waits, step.job is None) == (waits, bool(waits))


@pytest.mark.parametrize(
    ("phase", "unread", "has_job"),
    [
        ("copying", "destination", False),
        ("copying", "task", False),
        ("copying", "lag", True),
        ("verifying", "destination", False),
        ("verifying", "holds", False),
        ("verifying", "lag", False),
        ("verifying", "stream", False),
        ("verifying", "dead letters", True),
    ],
)
def test_what_could_not_be_read_is_not_taken_for_well(
    phase: Any,
    unread: str,
    has_job: bool,  # noqa: FBT001  # the outcome
) -> None:
    """A shard may be held, lost or behind that was not seen, and the table another one."""
    care = msgspec.structs.replace(BEGUN, phase=phase)
    step = steps.next_step(standing(SETTINGS, care, unread=(unread,)), care)
    assert (step.job is not None, bool(step.waits)) == (has_job, not has_job)


@pytest.mark.parametrize("unread", ["task", "destination"])
def test_a_copy_is_not_enough_where_its_table_or_stream_is_not_known(unread: str) -> None:
    """It may be of another one."""
    assert not steps.copy_is_enough(standing(SETTINGS, BEGUN, copied=copy(), unread=(unread,)), BEGUN)


@pytest.mark.parametrize(
    ("ahead_ms", "has_job"), [(0, True), (steps.CLOCKS_DIFFER_MS - 1, True), (steps.CLOCKS_DIFFER_MS, False)]
)
def test_no_copy_is_begun_that_would_not_do(ahead_ms: int, has_job: bool) -> None:  # noqa: FBT001  # the outcome
    """A loss that is dated later than now would have each copy made again, until our clock is there as well."""
    care = CareRow(phase="copying", copy_after_ms=NOW_MS + ahead_ms, lost_ms=NOW_MS + ahead_ms)
    assert (steps.copying(standing(SETTINGS, care), care).job is not None) == has_job
    made = copy(started_ms=NOW_MS)
    assert steps.copy_is_enough(standing(SETTINGS, care, copied=made), care) == has_job


def test_only_after_a_loss_is_anything_deleted() -> None:
    """A new replica is compared as it is."""
    for care, options in ((BEGUN, ()), (CareRow(phase="verifying", lost_ms=1), ("--repair", "--deleteExtra"))):
        job = steps.verifying(standing(SETTINGS, care), care).job
        assert job is not None
        assert (job.command, job.options) == ("verify", options)


@pytest.mark.parametrize(
    ("settings", "care", "copied", "lost_ms", "found"),
    [
        (task(bootstrap="true"), BEGUN, None, NOW_MS, 0),
        (SETTINGS, BEGUN, None, 0, 0),
        (SETTINGS, BEGUN, None, NOW_MS, NOW_MS),
        (SETTINGS, BEGUN, None, BEGUN.copy_after_ms, 0),  # this one is being made good
        (SETTINGS, CareRow(), copy(), NOW_MS - HOUR_MS, NOW_MS - HOUR_MS),  # of a task that nobody bootstrapped
        (SETTINGS, CareRow(phase="verifying", copy_after_ms=NOW_MS), copy(), NOW_MS, 0),
        # A copy that took longer than the stream keeps changes lets no shard go on.
        (
            SETTINGS,
            CareRow(phase="verifying", copy_after_ms=NOW_MS - 30 * HOUR_MS),
            copy(started_ms=NOW_MS - 24 * HOUR_MS),
            NOW_MS - 30 * HOUR_MS,
            NOW_MS,
        ),
    ],
)
def test_which_loss_asks_for_a_copy(settings: Any, care: CareRow, copied: Any, lost_ms: int, found: int) -> None:
    """A newer one than the copy that is being made, or was, and only where ``afterLoss=copy``."""
    holds = (loss(lost_ms),) if lost_ms else ()
    assert steps.lost_anew(standing(settings, care, copied=copied, holds=holds), care) == found
