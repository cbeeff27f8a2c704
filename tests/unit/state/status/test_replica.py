"""What is said of a replica that looks after itself."""

from __future__ import annotations

from typing import Any

import pytest

from processor.settings.settings import Settings
from processor.state.care_row import CareRow, Trouble
from processor.state.liveness import Daemon
from processor.state.status import replica, report
from processor.state.status.copy_progress import CopyProgress
from processor.state.status.report import StatusReport
from processor.state.status.snapshot import Seen
from processor.state.status.verification import Verification
from processor.state.verification_row import Verified
from tests.fakes.task import copies
from tests.fakes.task.tasks import task

NOW_MS = 1_795_780_800_000  # 2026-11-27T12:00:00Z
MINUTE_MS = 60_000
BEGUN_MS = NOW_MS - 5 * MINUTE_MS
SINCE = "(since 2026-11-27T11:55:00Z)"
COPY = copies.under_way(items=430, filtered=9, started_ms=BEGUN_MS)
SETTINGS: Settings = task(bootstrap="true")


def _seen(*, alive: bool = True, copy: CopyProgress | None = None, last: Verified | None = None, **care: Any) -> Seen:
    row = {"holder": "h", "host": "machine-7/42/x/y", "beat_ms": NOW_MS - 1000, "phase_since_ms": BEGUN_MS}
    verified = Verification(every_seconds=86_400, looked_ms=NOW_MS, last=last, differing=last and last.differing)
    return Seen(
        care=CareRow(**row | care),
        copy=copy,
        verification=verified,
        daemons=[Daemon(owner="w", shards=1, alive=alive)],
        leases=[],
        looked_ms=NOW_MS,
    )


def _said(**seen: Any) -> str:
    found = replica.progress(_seen(**seen))
    assert found is not None
    return replica.sentence(found)


def _found(**seen: Any) -> dict[str, str]:
    """The findings of a replica, with what they say."""
    made: StatusReport = report.make(SETTINGS, _seen(**seen), max_lag_seconds=60)
    return {each.id: each.value for each in made.findings if each.id.startswith("replica-")}


def _verified(through_ms: int, **found: int) -> Verified:
    counts = {"equal": 7, "missing": 0, "extra": 0, "different": 0} | found
    return Verified(through_ms=through_ms, ended_ms=NOW_MS, **counts)


def test_each_phase_is_named() -> None:
    """With how far it is, where that is known, and since when it has been so."""
    assert _said(phase="created") == f"created, and not copied yet {SINCE}"
    assert _said(phase="copying", copy=COPY) == f"copying, 43 % {SINCE}"
    assert _said(phase="verifying", copy=COPY) == f"verifying {SINCE}"
    assert _said(phase="in sync") == "in sync, verified at 2026-11-27T11:55:00Z"
    lost_ms = NOW_MS - 10 * MINUTE_MS
    assert _said(phase="copying", lost_ms=lost_ms, copy=COPY) == (
        f"copying again after the loss found at 2026-11-27T11:50:00Z, 43 % {SINCE}"
    )
    assert replica.progress(_seen(phase=None)) is None, "nobody was asked to make a replica"


def test_a_newer_verification_counts() -> None:
    """One that was begun later says when it was in sync, or that it is no more."""
    later_ms = NOW_MS - MINUTE_MS
    assert _said(phase="in sync", last=_verified(later_ms)) == "in sync, verified at 2026-11-27T11:59:00Z"
    assert _said(phase="in sync", last=_verified(0)) == "in sync, verified at 2026-11-27T11:55:00Z"
    assert _said(phase="in sync", last=_verified(later_ms, extra=1)) == (
        "was in sync, verified at 2026-11-27T11:55:00Z; the last verification has found differences"
    )


def test_why_it_does_not_go_on_is_said() -> None:
    """What passes by itself is no finding; what needs a person is one."""
    waits = Trouble(kind="waits", reason="a change is held", at_ms=NOW_MS)
    assert _said(phase="verifying", trouble=waits) == f"verifying {SINCE}; waits: a change is held"
    failed: dict[str, Any] = {"command": "copy", "reason": "Scan is denied.", "at_ms": NOW_MS}
    delayed = Trouble(kind="delayed", **failed)
    assert _said(phase="copying", trouble=delayed) == (
        f"copying {SINCE}; copy failed at 2026-11-27T12:00:00Z: Scan is denied"
    )
    for quiet in (waits, delayed):
        assert _found(phase="copying", trouble=quiet) == {}
    assert _found(phase="copying", trouble=Trouble(kind="refused", **failed)) == {
        "replica-refused": "can't be made by itself (copy refused at 2026-11-27T12:00:00Z: Scan is denied)"
    }
    differs = Trouble(kind="differs", command="verify", reason="2 keys differ, of 9", at_ms=NOW_MS)
    assert _found(phase="verifying", trouble=differs) == {
        "replica-differs": "differs from the source after its copy (2 keys differ, of 9)"
    }
    assert _found(phase="verifying", trouble=differs, last=_verified(NOW_MS, extra=2)) == {}, "said by verification"


@pytest.mark.parametrize("minutes", [1, 3])
def test_that_nobody_works_on_it_is_said(minutes: int) -> None:
    """When its caretaker has not shown itself for longer than clocks differ; without a daemon at once."""
    beat_ms = NOW_MS - minutes * MINUTE_MS
    is_gone = minutes > 2
    gone = f"nobody looks after it since 2026-11-27T11:{60 - minutes}:00Z"
    assert (gone in _said(phase="copying", beat_ms=beat_ms)) == is_gone
    assert ("replica-unattended" in _found(phase="copying", beat_ms=beat_ms)) == is_gone
    assert gone in _said(phase="copying", beat_ms=beat_ms, alive=False)
    assert _found(phase="copying", beat_ms=beat_ms, alive=False) == {}, "the task is stopped, which is said"
