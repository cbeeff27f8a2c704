"""Which copy a run makes, by what the rows of the task say."""

from __future__ import annotations

import time
import uuid
from typing import Any

import msgspec
import pytest

from processor.aws.clients import Clients
from processor.commands.copy import job as module
from processor.commands.copy import report
from processor.commands.copy.job import Job
from processor.commands.copy.report import CopyReport
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.replicate import finished_copy
from processor.errors import NotReadyError
from processor.settings.settings import Settings
from processor.startup.facts import Facts
from processor.state import copy_rows
from processor.state import task_row as tasks
from processor.state.copy_rows import CopyState
from processor.state.leases import Lease
from tests.fakes.task.tasks import task

STREAM = "arn:stream"
COPY = CopyState(id="1", started_ms=int(time.time() * 1000), stream_arn=STREAM, destination_id="to", segments=2)


class Task:
    """A task with a row of a copy, if there is one."""

    def __init__(self, endpoint: str) -> None:
        self.settings: Settings = task(kclEndpoint=endpoint, taskName=f"job-{uuid.uuid4().hex}")
        self.clients = Clients(self.settings)
        self.client = self.clients.checkpoints()
        tasks.write(self.client, self.settings.task_table, tasks.of(self.settings, STREAM), before=None)
        self.said: list[str] = []

    def job(
        self,
        before: CopyState | None,
        *,
        concurrent: bool = False,
        restart: bool = False,
        via: str = "",
        count: int = 0,
        checkpoint: str | None = None,
    ) -> Job:
        """What a run would do.

        :param count: DescribeTable's, of the destination
        :param checkpoint: of the one shard
        """
        if before is not None:
            copy_rows.write(self.client, self.settings.task_table, before, before=None)
        source: dict[str, Any] = {"LatestStreamArn": STREAM, "TableId": "from"}
        lease = Lease(shard_id="shard-1", owner=None, counter=1, checkpoint=checkpoint)
        facts = Facts(source=source, destination={"TableId": "to", "ItemCount": count}, leases=[lease])
        return Job(
            self.settings, self.clients, facts, via, concurrent=concurrent, restart=restart, say=self.said.append
        )


@pytest.fixture
def made(dynamodb: DynamoDBLocal) -> Task:
    """A fresh one."""
    return Task(dynamodb.endpoint)


@pytest.mark.parametrize(
    ("before", "changed", "onto_items"),
    [
        (None, {}, False),
        (None, {"count": 1}, True),
        (COPY, {"restart": True}, True),
        (msgspec.structs.replace(COPY, destination_id="another"), {"restart": True}, False),
        (msgspec.structs.replace(COPY, onto_items=True), {}, True),
        (COPY, {"restart": True, "via": "s3://bucket/prefix"}, False),
    ],
)
def test_a_destination_with_items(
    made: Task,
    before: CopyState | None,
    changed: dict[str, Any],
    onto_items: bool,  # noqa: FBT001
) -> None:
    """Is one that counts some, or that an earlier copy wrote; a copy that goes on remembers."""
    assert made.job(before, **changed).copy.onto_items == onto_items


REPORT = CopyReport(
    items=1,
    size_bytes=1,
    items_before=0,
    set_aside=0,
    seconds=1.0,
    read_units=0.0,
    write_units=0.0,
    throttles=0,
    concurrent=False,
    replicating=False,
    onto_items=True,
    started_ms=COPY.started_ms,
)


def test_what_a_copy_does_not_remove_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that does; not where the destination was empty."""
    report.show(REPORT, task(), as_json=False)
    assert "verify --repair --deleteExtra would delete every one of them" in capsys.readouterr().out
    report.show(msgspec.structs.replace(REPORT, onto_items=False), task(), as_json=False)
    assert "verify" not in capsys.readouterr().out


def test_until_when_to_start_is_said_where_no_replication_has_begun(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside one that has, nothing need be started."""
    report.show(msgspec.structs.replace(REPORT, concurrent=True), task(), as_json=False)
    assert "Start the replication before" in capsys.readouterr().out
    report.show(msgspec.structs.replace(REPORT, concurrent=True, replicating=True), task(), as_json=False)
    assert "Start the replication" not in capsys.readouterr().out


def _aged(hours: float, **changed: Any) -> CopyState:
    """One that began so long ago, as of now: a test may run long after it was collected."""
    started_ms = int((time.time() - hours * 3600) * 1000)
    return msgspec.structs.replace(COPY, **({"started_ms": started_ms} | changed))


URI = "s3://bucket/prefix"
CAN_GO_ON = [
    (22.5, {}, {}),
    (23.2, {}, {"concurrent": True}),
    (25.0, {"via": URI}, {"via": URI}),  # whether there is time left is looked at by itself
    (25.0, {"concurrent": True}, {"checkpoint": "5"}),
    (25.0, {}, {"concurrent": True, "checkpoint": "5"}),
]
TOO_LATE = [
    (23.2, {}, {}, "with --concurrent, then start the replication"),
    (25.0, {"concurrent": True}, {"checkpoint": "TRIM_HORIZON"}, "no replication has begun"),
    (25.0, {}, {"concurrent": True}, "no replication has begun"),
]


@pytest.mark.parametrize(("hours", "row", "changed"), CAN_GO_ON)
def test_a_copy_that_is_gone_on_with(made: Task, hours: float, row: dict[str, Any], changed: dict[str, Any]) -> None:
    """While the stream has every change since it began, or a replication has read them."""
    before = _aged(hours, **row)
    job = made.job(before, **changed)
    assert job.copy.id == before.id
    assert job.age_seconds == pytest.approx(before.age_seconds, abs=60)


@pytest.mark.parametrize(("hours", "row", "changed", "reason"), TOO_LATE)
def test_a_copy_that_is_too_late(
    made: Task, hours: float, row: dict[str, Any], changed: dict[str, Any], reason: str
) -> None:
    """It is said what may still help; begun anew it has all its time."""
    with pytest.raises(NotReadyError, match=reason):
        made.job(_aged(hours, **row), **changed)
    assert made.job(None, **changed, restart=True).age_seconds == 0


@pytest.mark.parametrize(
    ("concurrent", "checkpoint", "waits"),
    [(False, None, False), (True, None, True), (True, "TRIM_HORIZON", True), (True, "5", False)],
)
def test_whether_it_waits_for_a_replication(
    made: Task,
    concurrent: bool,  # noqa: FBT001
    checkpoint: str | None,
    waits: bool,  # noqa: FBT001
) -> None:
    """One is to be beside it, and has applied nothing yet."""
    assert made.job(None, concurrent=concurrent, checkpoint=checkpoint).waits_for_replication == waits


DONE = msgspec.structs.replace(COPY, state="done", finished_ms=COPY.started_ms)
BEGUN = Lease(shard_id="shard-1", owner=None, counter=1, checkpoint="5")
NOT_BEGUN = msgspec.structs.replace(BEGUN, checkpoint="TRIM_HORIZON")


@pytest.mark.parametrize(
    ("copy", "leases", "followed"),
    [
        (DONE, [NOT_BEGUN, BEGUN], True),
        (DONE, [NOT_BEGUN], False),
        (DONE, None, False),
        (COPY, [BEGUN], False),
    ],
)
def test_a_copy_that_a_replication_has_followed(
    made: Task,
    copy: CopyState,
    leases: list[Lease] | None,
    followed: bool,  # noqa: FBT001
) -> None:
    """It is done, and something was applied since; the same command then copies nothing, and says what does."""
    copy_rows.write(made.client, made.settings.task_table, copy, before=None)
    finished_copy.note(made.settings, made.clients, Facts(copy=copy, leases=leases))
    stored = copy_rows.read(made.client, made.settings.task_table)
    assert stored == msgspec.structs.replace(copy, followed=followed)
    if followed:
        with pytest.raises(NotReadyError, match=r"was copied on .* and replicated since.*--restart copies it anew"):
            made.job(None)
        assert not made.job(None, restart=True).is_done
    else:
        assert made.job(None).is_done == (copy is DONE)


def test_a_copy_that_was_begun_anew_meanwhile_is_not_marked(made: Task) -> None:
    """The row is another's by now; that, or no table, is no error."""
    facts = Facts(copy=DONE, leases=[BEGUN])
    for stored in (msgspec.structs.replace(DONE, id="2"), COPY):
        copy_rows.write(
            made.client, made.settings.task_table, stored, before=copy_rows.read(made.client, made.settings.task_table)
        )
        finished_copy.note(made.settings, made.clients, facts)
        assert copy_rows.read(made.client, made.settings.task_table) == stored
    finished_copy.note(task(kclEndpoint=made.settings.kcl_endpoint or "", taskName="none"), made.clients, facts)


def test_a_copy_of_other_settings_is_not_gone_on_with(made: Task) -> None:
    """Half of the destination would be of the one kind, half of the other."""
    before = _aged(1.0, view_digest="of a filter")
    with pytest.raises(NotReadyError, match=r"have changed since it began.*--restart"):
        made.job(before)
    anew = made.job(None, restart=True)
    assert (anew.copy.id != before.id, anew.copy.view_digest) == (True, "")


@pytest.mark.parametrize("leaves_out", [False, True])
@pytest.mark.parametrize("onto_items", [False, True])
def test_what_a_copy_proves_of_the_destination(*, onto_items: bool, leaves_out: bool) -> None:
    """All of it is by the settings; but not where it held items that would be left out now."""
    settings = task(taskName="any", **({"filter": "attribute_exists(a)"} if leaves_out else {"excludeAttributes": "a"}))
    assert module.proves_view(settings, _aged(1.0, onto_items=onto_items)) == (not (onto_items and leaves_out))
