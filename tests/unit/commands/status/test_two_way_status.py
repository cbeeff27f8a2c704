"""The status of a two-way task is that of both its directions."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from rich.console import Console

from processor.commands.status import render
from processor.settings.settings import Settings
from processor.settings.task_file import TaskFile
from processor.state.holds import Hold
from processor.state.leases import Lease
from processor.state.status import remedies, report
from processor.state.status.letters import LettersFound
from processor.state.status.report import StatusReport
from processor.state.status.snapshot import Seen, Stream
from tests.fakes.task.tasks import task
from tests.fakes.task.two_way import two_way
from tests.unit.commands.console.looks import shard

TABLE: dict[str, Any] = {
    "TableStatus": "ACTIVE",
    "StreamSpecification": {"StreamEnabled": True},
    "LatestStreamArn": "arn",
}
MIRROR, UPLINK = two_way(taskName="t").in_directions


def _report(settings: Settings, **seen: Any) -> StatusReport:
    found = {
        "source": TABLE,
        "destination": TABLE,
        "leases": [Lease(shard_id="s", owner=None, counter=1, checkpoint="5")],
    }
    return report.make(settings, Seen(**(found | seen)), max_lag_seconds=60)


def test_scripts_get_one_object() -> None:
    """The mirror's, with the worst exit status, the findings of both, and the uplink's own within it."""
    mirror = _report(MIRROR)
    uplink = _report(UPLINK, destination=None, conflicts=LettersFound(place="/c.jsonl", count=3))
    made = msgspec.to_builtins(report.both(mirror, uplink))
    assert (made["taskName"], made["uplink"]["taskName"]) == ("t", "t-Uplink")
    assert made["exitStatus"] == max(mirror.exit_status, uplink.exit_status) == 1
    assert {"destination-missing"} <= {finding["id"] for finding in made["findings"]}
    assert made["uplink"]["conflicts"]["count"] == 3
    assert "conflicts" not in made


def test_a_task_of_one_direction_has_neither() -> None:
    """Its JSON is as it was."""
    assert not {"uplink", "conflicts"} & msgspec.to_builtins(_report(task())).keys()


COPY = "copy --restart --concurrent"


def test_people_see_the_number_of_conflicts() -> None:
    """And where they are."""
    uplink = _report(UPLINK, conflicts=LettersFound(place="/c.jsonl", count=3))
    console = Console(file=io.StringIO(), width=200)
    console.print(render.render(uplink))
    assert isinstance(console.file, io.StringIO)
    assert "3 in /c.jsonl" in console.file.getvalue()


@pytest.mark.parametrize(
    ("seen", "mends"),
    [
        ({"shards": [shard(lost=True)]}, COPY),
        (
            {"holds": [Hold(kind="loss", shard_id="s", since_ms=0, seen_ms=0, sequence_number="1", reason="trimmed")]},
            COPY,
        ),
        ({"stream": Stream(arn="old", status="ENABLED")}, f"delete {UPLINK.checkpoint_table}"),
    ],
    ids=["past 24 hours", "a trimmed shard", "another stream"],
)
def test_what_mends_a_loss_goes_the_right_way(seen: dict[str, Any], mends: str) -> None:
    """A copy brings the hub's items to the spoke; what an uplink has lost is listed, then the hub's items win."""
    names = {"shards-lost", "shard-lost", "stream-replaced"}
    (of_mirror,) = (each.remedy for each in _report(MIRROR, **seen).findings if each.id in names)
    (of_uplink,) = (each.remedy for each in _report(UPLINK, **seen).findings if each.id in names)
    assert "opy the table again" in of_mirror
    steps = ("--output unsent.jsonl", mends, "--repair --deleteExtra")
    assert sorted(steps, key=of_uplink.index) == list(steps)
    file = TaskFile(path="conf/orders.properties", common="conf/common.properties")
    assert remedies.of_finding("shard-lost", file) == "./run.sh copy conf --task orders --restart --concurrent"
    unsent = "./run.sh verify conf --task orders --output unsent.jsonl --values"
    assert remedies.of_finding("shard-lost", file.uplink) == unsent
