"""What is to be done next for a replica, by how the task stands."""

from __future__ import annotations

from typing import Any

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
