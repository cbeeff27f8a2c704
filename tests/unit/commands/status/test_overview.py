"""Several tasks on one screen: a line each, the worst first, and no wider or higher than it is."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from rich.console import Console

from processor.commands.status import overview
from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile
from processor.state.care_row import CareRow
from processor.state.leases import Lease
from processor.state.liveness import Daemon
from processor.state.status import report
from processor.state.status.lineage import ShardState
from processor.state.status.snapshot import Seen, Stream, Unread
from processor.state.status.task_status import TaskStatus
from processor.state.status.verification import Verification
from processor.state.verification_row import Verified
from tests.fakes.task import tasks

AT = datetime(2026, 11, 27, 12, 0, 0, tzinfo=timezone.utc)


def _shard(**changed: Any) -> ShardState:
    given: dict[str, Any] = {
        "shard_id": "shardId-1",
        "state": "reading",
        "open": True,
        "owner": "w-1",
        "checkpoint": "1",
        "parent": None,
        "parent_state": None,
        "lag_seconds": 0.5,
    }
    return ShardState(**given | changed)


def _status(name: str, *, error: str = "", unseen: bool = False, **seen: Any) -> TaskStatus:
    """How a task stands, judged as ``run.sh status`` does by what was seen of it."""
    settings = tasks.task()
    task = NamedTask(file=TaskFile(path=f"conf/{name}.properties"), settings=settings, places={})
    if error or unseen:
        return TaskStatus(task=task, exit_status=22 if error else None, message=error)
    table = {"TableStatus": "ACTIVE"}
    stream = {"LatestStreamArn": "arn", "StreamSpecification": {"StreamEnabled": True}}
    look = Seen(
        source=table | stream,
        destination=table,
        leases=[Lease(shard_id="shardId-1", owner="w-1", counter=1, checkpoint="1")],
        daemons=[Daemon(owner="w-1", shards=1, alive=seen.get("alive", True))],
        stream=Stream(arn="arn", status="ENABLED"),
        shards=[_shard(**seen.get("shard", {}))],
        unread=[Unread(what="lag", reason="away")] if seen.get("unread") else [],
    )
    look.verification, look.care = seen.get("verification"), seen.get("care")
    made = report.make(settings, look, max_lag_seconds=60)
    return TaskStatus(task=task, exit_status=made.exit_status, report=made)


ALL: dict[str, dict[str, Any]] = {
    "well": {},
    "slow": {"shard": {"lag_seconds": 4000.0}},
    "slower": {"shard": {"lag_seconds": 90_000.0}},
    "lost": {"shard": {"lost": True}},
    "stopped": {"alive": False},
    "unread": {"unread": True},
    "unusable": {"error": "batchSize: '0' is not a whole number from 1 to 1000."},
    "left": {"unseen": True},
}
ORDER = ["lost", "unusable", "unread", "slower", "slow", "stopped", "well", "left"]


def _drawn(found: list[TaskStatus], *, width: int = 80, height: int = 24, fits: bool = True) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, highlight=False, markup=False, emoji=False)
    console.print(overview.Overview(found, at=AT, fits=fits))
    return file.getvalue().splitlines()


def test_the_worst_is_first() -> None:
    """Lost changes before all, then by the exit status, then by the lag; last what was not looked at."""
    lines = _drawn([_status(name, **seen) for name, seen in ALL.items()])
    assert lines[0] == "12:00:00  8 tasks: 1 unusable, 1 not known, 4 not healthy, 1 healthy, 1 not rea…"
    assert [line.split()[0] for line in lines[1:]] == ["task", *ORDER]
    assert lines[2:6] == [
        "lost      not healthy  lost    1/1     1/1      shards-lost: 1 shard with chang…",
        "unusable  unusable     -       -       -        batchSize: '0' is not a whole n…",
        "unread    not known    0.5 s   1/1     1/1      not-read: lag: can't be read (a…",
        "slower    not healthy  25 h    1/1     1/1      shards-late: 1 shard behind by …",
    ]
    assert lines[7].startswith("stopped   stopped      0.5 s   1/1     0/1      stopped (+1): task ")


def test_when_they_were_verified_is_shown_where_one_is() -> None:
    """How long ago the last whole verification began; without any, there is no such column."""
    at_ms = 10 * 86_400_000
    never = Verification(every_seconds=86_400, looked_ms=at_ms)
    last = Verified(through_ms=at_ms - 3 * 3_600_000, ended_ms=at_ms, equal=1, missing=0, extra=0, different=0)
    found = [
        _status("new", verification=never),
        _status("old", verification=msgspec.structs.replace(never, last=last, differing=0)),
        _status("plain"),
    ]
    lines = _drawn(found)
    assert lines[1].split() == ["task", "state", "lag", "shards", "daemons", "verified", "wrong"]
    assert [line.split("1/1")[-1].strip() for line in lines[2:]] == ["not yet", "3 h ago", "-"]
    assert "verified" not in _drawn(found[2:])[1]


def test_a_replica_that_is_being_made_is_so_shown() -> None:
    """In the place of "healthy", for it is not complete."""
    care = CareRow(phase="verifying", phase_since_ms=1, beat_ms=1)
    states = [line.split()[:2] for line in _drawn([_status("new", care=care), _status("plain")])[2:]]
    assert states == [["new", "verifying"], ["plain", "healthy"]]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """However long names are, and whatever characters are in them."""
    found = [_status(f"{'名' * 30}{name}", **seen) for name, seen in ALL.items()]
    for line in _drawn(found, width=width):
        assert overview.cell_len(line) <= width


@pytest.mark.parametrize("height", [3, 5, 8, 11, 12])
def test_what_has_no_room_is_counted(height: int) -> None:
    """As many of the worst as fit, with a line for the cursor; where all fit, nothing is left out."""
    lines = _drawn([_status(name, **seen) for name, seen in ALL.items()], height=height)
    shown = [line.split()[0] for line in lines[2:] if not line.startswith("and ")]
    assert shown == ORDER[: len(shown)]
    assert len(lines) < max(height, 5)
    left = len(ORDER) - len(shown)
    assert (lines[-1].startswith(f"and {left} more: ")) == bool(left)
    assert (left == 0) == (height >= 11)


def test_a_pipe_has_all_of_them() -> None:
    """Whatever height a terminal would have."""
    assert len(_drawn([_status(str(number)) for number in range(60)], height=8, fits=False)) == 62


def test_a_log_has_a_line_for_each() -> None:
    """With the time, as of a single task."""
    lines = list(overview.lines([_status("well"), _status("unusable", **ALL["unusable"])], AT))
    assert lines[0].startswith("2026-11-27T12:00:00+00:00 conf/unusable.properties: unusable: batchSize: ")
    assert lines[1].startswith("2026-11-27T12:00:00+00:00 conf/well.properties: healthy, running; lag 0.5 s; ")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "?"), (0.0, "0.0 s"), (119.9, "119.9 s"), (7140, "119 min"), (86_400, "24 h"), (9e5, "10 d")],
)
def test_times_are_short(seconds: float | None, shown: str) -> None:
    """In seven characters."""
    assert overview.short(seconds) == shown
