"""What a start decides of a task that makes its own replica."""

from __future__ import annotations

import time
from typing import Any

import pytest

from processor.startup import own_replica, preflight
from processor.startup.facts import Facts
from processor.startup.own_replica import Beginning
from processor.state import task_row
from processor.state.care_row import CareRow
from processor.state.copy_rows import CopyState
from processor.state.leases import Lease
from tests.fakes.task.tasks import task

SETTINGS = task(bootstrap="true")
ARN = "arn:stream"
LEASES = [Lease(shard_id="s", owner=None, counter=1, checkpoint="TRIM_HORIZON", parents=())]
HOUR = 3600.0


def _copy(*, hours: float = 1, **changed: Any) -> CopyState:
    made: dict[str, Any] = {"state": "done", "concurrent": True, "stream_arn": ARN}
    return CopyState(id="c", started_ms=int((time.time() - hours * HOUR) * 1000), **(made | changed))


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, Beginning("created", 7)),
        ({"leases": LEASES}, None),
        ({"care": CareRow(phase="created")}, None),
        ({"care": CareRow(phase="in sync")}, Beginning("created", 7)),  # the checkpoint table was deleted
        # A gap of the whole stream: its checkpoints are deleted, and what only the destination has is to be deleted.
        (
            {"care": CareRow(phase="copying", lost_ms=5), "copy": _copy(stream_arn="another")},
            Beginning("copying", 7, 5),
        ),
        ({"care": CareRow(phase="verifying", lost_ms=5), "copy": _copy()}, Beginning("copying", 0, 5)),
        ({"copy": _copy()}, Beginning("copying", 0)),
        ({"copy": _copy(state="running")}, Beginning("copying", 0)),
        ({"copy": _copy(state="running"), "care": CareRow(phase="copying")}, None),
        ({"copy": _copy(state="running", concurrent=False)}, Beginning("created", 7)),
        ({"copy": _copy(followed=True)}, Beginning("created", 7)),
        ({"copy": _copy(stream_arn="another")}, Beginning("created", 7)),
        ({"copy": _copy(hours=25)}, Beginning("created", 7)),
    ],
)
def test_where_a_start_begins(changed: Any, found: Beginning | None) -> None:
    """With a copy that will do, with that one; anew where there is none, and as it is where it is begun."""
    facts = Facts(**{"source": {"LatestStreamArn": ARN}, **changed})
    assert own_replica.beginning(SETTINGS, facts, now_ms=7) == found
    assert own_replica.beginning(task(), facts, now_ms=7) is None


def test_a_copy_that_will_not_do_keeps_no_bootstrap_from_starting() -> None:
    """It is made anew; without the setting a person has to."""
    facts = Facts(source={"LatestStreamArn": ARN}, copy=_copy(hours=25))
    assert [finding.id for finding in preflight._copy_is_through(task(), facts)] == ["copy-too-old"]
    assert list(preflight._copy_is_through(SETTINGS, facts)) == []


def test_a_gap_is_a_warning_where_it_is_copied() -> None:
    """It says what is done; otherwise it is an error, and says what to do."""
    facts = Facts(
        source={"LatestStreamArn": ARN},
        leases=LEASES,
        stream_shards=frozenset(),
        task=task_row.of(task(), "arn:another"),
    )
    (refused,) = preflight._no_gap(task(), facts)
    (warned,) = preflight._no_gap(task(afterLoss="copy"), facts)
    assert (refused.id, refused.severity) == (warned.id, "error")
    assert warned.severity == "warning"
    assert "by itself" not in refused.remedy
    assert "afterLoss=copy" in warned.remedy


def test_bootstrap_implies_what_it_needs() -> None:
    """Copy alone, by hand, makes the same."""
    assert (SETTINGS.create_destination, SETTINGS.enable_stream, SETTINGS.has_caretaker) == (True, True, True)
    assert not task().has_caretaker
    assert task(afterLoss="copy").has_caretaker
