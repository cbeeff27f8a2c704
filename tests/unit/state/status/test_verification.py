"""What is said of a task's verifications."""

from __future__ import annotations

import msgspec
import pytest

from processor.state.status import verification
from processor.state.status.verification import Verification, VerificationProgress
from processor.state.verification_row import Verified

HOUR_MS = 3_600_000
NOW_MS = 1_795_780_800_000  # 2026-11-27T12:00:00Z
LAST = Verified(through_ms=NOW_MS - HOUR_MS, ended_ms=NOW_MS, equal=1234, missing=0, extra=0, different=0)
DAILY = Verification(every_seconds=86_400, looked_ms=NOW_MS)


def test_in_words() -> None:
    """The moment, both numbers, and of what the second is made; how far a pass is."""
    assert verification.sentence(DAILY) == "not yet"
    assert verification.outcome(LAST) == "through 2026-11-27T11:00:00+00:00: 1,234 equal, 0 different"
    some = msgspec.structs.replace(LAST, missing=3, extra=1, repaired=3, changing=2)
    assert verification.outcome(some).endswith(
        "1,234 equal, 1 different (3 missing, 1 extra, 3 of them repaired), 2 changing all the time"
    )
    running = VerificationProgress(
        host="machine-7/42/x/y",
        started_ms=NOW_MS - HOUR_MS,
        saved_ms=NOW_MS,
        parts=64,
        parts_settled=16,
        items=10,
        expected_items=40,
    )
    assert running.share == 0.25
    assert verification.sentence(msgspec.structs.replace(DAILY, running=running)) == (
        "not yet; a pass begun at 2026-11-27T11:00:00+00:00 has settled 16 of 64 parts, at 2026-11-27T12:00:00+00:00 "
        "by process 42 on machine-7"
    )


@pytest.mark.parametrize(("hours", "late"), [(1, False), (71, False), (73, True)])
def test_when_it_is_late(hours: int, late: bool) -> None:  # noqa: FBT001  # a case
    """After three periods without a whole pass, since the last one began, or else the first."""
    since_ms = NOW_MS - hours * HOUR_MS
    assert msgspec.structs.replace(DAILY, since_ms=since_ms).is_late == late
    last = msgspec.structs.replace(LAST, through_ms=since_ms)
    assert msgspec.structs.replace(DAILY, since_ms=0, last=last).is_late == late
    assert not DAILY.is_late
