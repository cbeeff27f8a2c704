"""``run.sh status`` on a simulated stream, with a checkpoint table on DynamoDB Local behind a proxy."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from processor.aws.clients import Clients
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.status import render
from processor.replication.dead_letters import census
from processor.replication.dead_letters.file_store import LetterFile
from processor.reporting.durations import duration
from processor.settings.settings import Settings
from processor.startup import java
from processor.state import copy_rows, holds
from processor.state.copy_rows import CopyState, SegmentState
from processor.state.holds import Hold
from processor.state.leases import SHARD_END
from processor.state.status import lag, report, snapshot
from processor.state.status.report import StatusReport
from tests.conftest import Tables
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.fakes.task import tasks
from tests.fakes.task.letters import letter

HOUR = 3600.0
REGION = tasks.REQUIRED["sourceRegion"]
# Every operation that changes nothing, of those that the program may use.
READS = {
    "BatchGetItem",
    "DescribeStream",
    "DescribeTable",
    "GetItem",
    "GetRecords",
    "GetShardIterator",
    "Scan",
}


class Stage:
    """A source of some shards, a destination, and a task between them.

    :param hours: how old what is written to the source is at once
    """

    def __init__(self, stack: ExitStack, tables: Tables, upstream: str, *, shards: int = 2, hours: float = 0) -> None:
        self.age_seconds = hours * HOUR
        self.clock: Callable[[], float] = lambda: time.time() - self.age_seconds
        self.simulator = stack.enter_context(
            StreamsSimulator(shards=shards, seed=1, region=REGION, clock=lambda: self.clock())  # noqa: PLW0108  # it may be another
        )
        self.proxy = stack.enter_context(FaultProxy(upstream))
        self.given = {
            **tasks.REQUIRED,
            "sourceTable": self.simulator.table,
            "sourceEndpoint": self.simulator.endpoint,
            "destinationTable": tables.create(),
            "destinationEndpoint": self.proxy.endpoint,
            "kclEndpoint": self.proxy.endpoint,
            "taskName": tables.name(),
            "failoverTimeMillis": "60000",  # a busy machine renews late
        }
        self._upstream = upstream
        self._stack = stack

    def settings(self, **changed: str) -> Settings:
        """The task's, or others."""
        return tasks.task(**self.given | changed)

    def leases(
        self,
        owner: str | None = "w-1",
        *,
        owners: Mapping[str, str | None] | None = None,
        renewed: bool = True,
        recorded: bool = True,
        **more: Any,
    ) -> LeaseTable:
        """The task's checkpoint table, by default with all leases renewed by one daemon, and its row."""
        all_owners = {shard.id: owner for shard in self.simulator.shards()} | dict(owners or {})
        table = LeaseTable(
            self.settings(kclEndpoint=self._upstream),
            all_owners,
            renewing=filter(None, all_owners.values()) if renewed else (),
            **more,
        )
        if recorded:
            table.record(self.simulator.stream_arn)
        return self._stack.enter_context(table)

    def put(self, count: int) -> None:
        """Write new items, in any shards."""
        for number in range(count):
            self.simulator.put({"id": {"S": f"{number}-{self.age_seconds}"}})

    def records(self, shard_id: str) -> list[str]:
        """The sequence numbers of a shard's records."""
        return [event.sequence_number for event in self.simulator.history if event.shard_id == shard_id]

    def newest(self) -> dict[str, str]:
        """Checkpoints at which all is applied."""
        return {event.shard_id: event.sequence_number for event in self.simulator.history}

    def look(self, *, max_lag_seconds: int = 60, **changed: str) -> StatusReport:
        """How the task stands."""
        settings = self.settings(**changed)
        seen = snapshot.read(settings, Clients(settings, connections=lag.THREADS), census.count)
        return report.make(settings, seen, max_lag_seconds=max_lag_seconds)


MakeStage = Callable[..., Stage]


@pytest.fixture
def make_stage(dynamodb: DynamoDBLocal, tables: Tables) -> Iterator[MakeStage]:
    """Stages that are struck with the test."""
    with ExitStack() as stack:
        yield lambda **options: Stage(stack, tables, dynamodb.endpoint, **options)


def run(stage: Stage, *options: str) -> tuple[int, str]:
    """``./run.sh status``: its exit status and standard output."""
    given = [part for name, value in stage.given.items() for part in (f"--{name}", value)]
    done = subprocess.run(
        [java.ROOT / "run.sh", "status", *given, *options],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def texts(found: StatusReport) -> str:
    """All that is wrong."""
    return "\n".join(finding.text for finding in found.findings)


def only(found: StatusReport) -> str:
    """The only thing that is wrong."""
    assert len(found.findings) == 1, texts(found)
    return found.findings[0].text


def test_five_hundred_shards_that_all_are_read(make_stage: MakeStage) -> None:
    """Each is looked at, by nothing but reads, and the task is healthy: 0."""
    stage = make_stage(shards=500)
    stage.simulator.fill(2000)
    shards = [shard.id for shard in stage.simulator.shards()]
    owners = {shard: f"w-{number % 8}" for number, shard in enumerate(shards)}
    stage.leases(owners=owners, checkpoints=stage.newest(), renewal_seconds=5 / 3)  # as daemons do
    status, output = run(stage, "--json")
    found = json.loads(output)
    assert (status, found["state"], found["findings"]) == (0, "running", [])
    assert found["counts"] == {"open": 500, "reading": 500, "waiting": 0, "finished": 0, "unowned": 0}
    assert [(f"w-{number}", True) for number in range(8)] == [
        (each["owner"], each["alive"]) for each in found["daemons"]
    ]
    assert {(shard["shardId"], shard["owner"], shard["lagSeconds"]) for shard in found["shards"]} == {
        (shard, owner, 0.0) for shard, owner in owners.items()
    }
    assert stage.proxy.received.keys() | stage.simulator.received.keys() <= READS


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("hold", "has waited at a change since 1970-01-01T00:00:01+00:00 (too large)"),
        ("outage", "has not been able to write since 1970-01-01T00:00:01+00:00 (too large)"),
        ("loss", "has lost changes, found at 1970-01-01T00:00:01+00:00 (too large)"),
    ],
)
def test_a_shard_that_can_not_go_on(kind: Any, words: str, make_stage: MakeStage) -> None:
    """What a daemon left in the task's table is said and is 1; once the checkpoint has gone on, it is over."""
    stage = make_stage(shards=1)
    stage.put(2)
    (shard,) = stage.simulator.shards()
    first, second = stage.records(shard.id)
    leases = stage.leases(checkpoints={shard.id: first})
    now, over = (second, str(int(first) - 1)) if kind == "loss" else (second, first)
    row = Hold(kind=kind, shard_id=shard.id, since_ms=1000, seen_ms=1000, sequence_number=now, reason="too large.")
    holds.put(leases.client, stage.settings().task_table, row)
    found = stage.look()
    assert (found.exit_status, found.holds) == (1, [row])
    assert f"shard {shard.id}: {words}" in only(found)
    holds.put(leases.client, stage.settings().task_table, msgspec.structs.replace(row, sequence_number=over))
    assert stage.look().exit_status == 0


def test_a_source_whose_times_are_rounded_to_the_minute(make_stage: MakeStage) -> None:
    """A lag is shown as "about", and one that may be small enough is no reason for alarm."""
    stage = make_stage(shards=4)
    minute = time.time() // 60 * 60
    for number in range(40):
        stage.clock = lambda made=minute - 60 * (number % 4): made
        stage.simulator.put({"id": {"S": f"{number}"}})
    stage.clock = time.time
    stage.leases(checkpoints={shard.id: "TRIM_HORIZON" for shard in stage.simulator.shards()})
    found = stage.look(max_lag_seconds=240)
    assert found.lag_about
    assert found.exit_status == 0
    assert "lag about " in render.headline(found)


@pytest.mark.parametrize(("seconds_ago", "state"), [(10, "running"), (600, "stopped")])
def test_daemons_that_can_not_use_the_checkpoint_table(seconds_ago: int, state: str, make_stage: MakeStage) -> None:
    """They renew nothing, as stopped ones do; the row that they write tells them apart while it is fresh."""
    stage = make_stage(shards=1)
    (shard,) = stage.simulator.shards()
    leases = stage.leases(checkpoints={shard.id: "TRIM_HORIZON"}, renewed=False)
    row = {"worker": {"S": "w-1"}, "sinceMs": {"N": "1000"}, "reason": {"S": "UpdateItem: throttled. Raise it."}}
    seen_ms = str(int(1000 * (time.time() - seconds_ago)))
    leases.client.put_item(
        TableName=stage.settings().task_table, Item={"name": {"S": "checkpoints"}, "seenMs": {"N": seen_ms}} | row
    )
    found = stage.look()
    assert (found.exit_status, found.state) == (1, state)
    said = texts(found)
    unusable = "can't be used by daemon w-1 since 1970-01-01T00:00:01+00:00 (UpdateItem: throttled. Raise it)"
    assert (unusable in said) == (state == "running")
    assert ("no daemon renews a lease" in said) == (state == "stopped")


@pytest.mark.parametrize(("max_lag_seconds", "status"), [(60, 1), (3 * 3600, 0)])
def test_a_shard_that_is_behind(max_lag_seconds: int, status: int, make_stage: MakeStage) -> None:
    """Its lag is the age of the first change after its checkpoint, and more of that than is allowed is 1."""
    stage = make_stage(shards=1, hours=2)
    stage.put(3)
    stage.age_seconds = 0
    stage.put(3)
    (shard,) = stage.simulator.shards()
    records = stage.records(shard.id)
    stage.leases(checkpoints={shard.id: records[1]})
    found = stage.look(max_lag_seconds=max_lag_seconds)
    assert found.exit_status == status
    assert found.lag_seconds == pytest.approx(2 * HOUR, abs=120)
    assert ("1 shard behind by more than 60 s" in texts(found)) == bool(status)
    assert (found.shards[0].checkpoint, found.shards[0].state) == (records[1], "reading")


@pytest.mark.parametrize(("interval_ms", "status", "shown"), [("0", 1, "lag 2 h "), ("300000", 0, "lag up to 2 h ")])
def test_a_lag_by_checkpoints_that_are_put_off(
    interval_ms: str, status: int, shown: str, make_stage: MakeStage
) -> None:
    """What is applied since the last one counts as not applied, and no shard is late for that."""
    stage = make_stage(shards=1, hours=2)
    stage.put(3)
    (shard,) = stage.simulator.shards()
    stage.leases(checkpoints={shard.id: stage.records(shard.id)[0]})
    found = stage.look(max_lag_seconds=round(2 * HOUR) - 150, checkpointIntervalMillis=interval_ms)
    assert found.exit_status == status
    assert shown in render.headline(found)
    assert found.checkpoint_interval_seconds == int(interval_ms) / 1000


def test_a_new_shard_is_behind_from_its_oldest_record(make_stage: MakeStage) -> None:
    """Its checkpoint is TRIM_HORIZON."""
    stage = make_stage(shards=1, hours=5)
    stage.put(2)
    stage.leases()
    assert stage.look().lag_seconds == pytest.approx(5 * HOUR, abs=120)


def test_the_lag_before_a_first_checkpoint_at_latest_is_not_known(make_stage: MakeStage) -> None:
    """Nobody can tell where it began; the note says so."""
    stage = make_stage(shards=1)
    (shard,) = stage.simulator.shards()
    stage.leases(checkpoints={shard.id: "LATEST"})
    found = stage.look()
    assert (found.exit_status, found.lag_seconds) == (0, None)
    assert "it begins at LATEST" in found.shards[0].note


def test_an_empty_page_is_not_the_end(make_stage: MakeStage) -> None:
    """DynamoDB gives empty pages though records follow."""
    stage = make_stage(shards=1, hours=1)
    stage.put(1)
    stage.leases()
    stage.simulator.inject(faults.empty_page(), "GetRecords", times=1)
    assert stage.look().lag_seconds == pytest.approx(HOUR, abs=120)


def test_a_split_shard_and_its_children(make_stage: MakeStage) -> None:
    """The children wait while something of their parent is left; when it is finished they need an owner."""
    stage = make_stage(shards=1)
    stage.put(20)
    (parent,) = stage.simulator.shards()
    children = {shard.id for shard in stage.simulator.split()}
    table = stage.leases(checkpoints={parent.id: stage.records(parent.id)[0]}, owners=dict.fromkeys(children))
    found = stage.look()
    assert (found.exit_status, found.counts.waiting, found.counts.open, found.counts.unowned) == (0, 2, 2, 0)
    assert {shard.parent_state for shard in found.shards if shard.shard_id in children} == {"unfinished"}
    table.finish(parent.id)
    found = stage.look()
    assert (found.exit_status, found.counts.finished, found.counts.unowned) == (1, 1, 2)
    assert "2 shards without an owner" in texts(found)
    assert found.shards[0].checkpoint == SHARD_END


@pytest.mark.parametrize("position", ["TRIM_HORIZON", "LATEST"])
def test_a_shard_whose_lease_was_removed(position: str, make_stage: MakeStage) -> None:
    """It is to be read first, or nobody knows whether it was: as the daemon has it, wherever the task began."""
    stage = make_stage()
    parent, _ = (shard.id for shard in stage.simulator.shards())
    child = stage.simulator.roll_over(parent).id
    stage.put(10)
    table = stage.leases(owners={parent: None}, parents={child: parent})
    table.client.delete_item(TableName=table.name, Key={"leaseKey": {"S": parent}})
    unread = stage.look(initialPositionInStream=position)
    assert (unread.exit_status, unread.counts.unowned, unread.counts.waiting) == (1, 1, 1)
    table.apply(child, 1, checkpoint=stage.records(child)[0])
    lost = stage.look(initialPositionInStream=position)
    assert (lost.exit_status, [shard.shard_id for shard in lost.shards if shard.lost]) == (1, [parent])


def test_a_stopped_task(make_stage: MakeStage) -> None:
    """After a clean stop no lease has an owner: 1, at once, with what each shard had come to."""
    stage = make_stage()
    stage.put(5)
    table = stage.leases(None, checkpoints=stage.newest())
    before = table.rows()
    found = stage.look()
    assert (found.exit_status, found.state, found.counts.unowned, found.lag_seconds) == (1, "stopped", 2, 0.0)
    assert "is stopped: no daemon renews a lease" in texts(found)
    assert before == table.rows()


def test_an_owner_that_does_not_renew_is_dead(make_stage: MakeStage) -> None:
    """Its shards have no owner any more, though the leases still name it; another's are not in doubt."""
    stage = make_stage()
    first, second = (shard.id for shard in stage.simulator.shards())
    stage.given["failoverTimeMillis"] = "10000"
    table = stage.leases(owners={first: "w-1", second: "w-2"}, renewed=False)
    with table.renewed_by("w-1"):
        found = stage.look()
    assert [(each.owner, each.alive) for each in found.daemons] == [("w-1", True), ("w-2", False)]
    assert (found.exit_status, found.state) == (1, "running")
    assert {shard.shard_id: shard.note for shard in found.shards} == {
        first: "",
        second: "owner w-2 does not renew",
    }
    assert "daemon w-2: does not renew its leases, of 1 shard" in texts(found)


def test_a_task_that_was_never_started(make_stage: MakeStage) -> None:
    """There is no checkpoint table: 1, and what to do."""
    stage = make_stage()
    found = stage.look()
    assert (found.exit_status, found.state, found.counts.unowned) == (1, "never started", 2)
    assert "was never started" in only(found)
    assert found.source.status == found.destination.status == "ACTIVE"


def test_a_checkpoint_table_that_is_deleted_beneath_a_daemon(make_stage: MakeStage) -> None:
    """The daemon's own row says so and what to do; nobody is told that the task was never started."""
    stage = make_stage(shards=1)
    row = {"worker": {"S": "w-1"}, "sinceMs": {"N": "1000"}, "reason": {"S": "Scan: it is gone. Start anew."}}
    row |= {"name": {"S": "checkpoints"}, "seenMs": {"N": str(int(1000 * time.time()))}}
    leases = stage.leases(renewed=False)
    leases.client.put_item(TableName=stage.settings().task_table, Item=row)
    leases.client.delete_table(TableName=stage.settings().checkpoint_table)
    found = stage.look()
    assert (found.exit_status, found.state) == (1, "running")
    assert "can't be used by daemon w-1" in texts(found)
    assert "never started" not in texts(found)


def test_a_stream_that_is_off(make_stage: MakeStage) -> None:
    """What it holds is shown all the same."""
    stage = make_stage()
    stage.put(5)
    stage.leases(checkpoints=stage.newest())
    stage.simulator.disable_stream()
    found = stage.look()
    assert found.exit_status == 1
    assert "is off" in only(found)
    assert found.stream is not None
    assert (found.stream.status, len(found.shards), found.lag_seconds) == ("DISABLED", 2, 0.0)


def test_a_stream_that_was_off_and_is_on_again(make_stage: MakeStage) -> None:
    """The task's own is looked at, not the source's newest."""
    stage = make_stage()
    stage.leases()
    old = stage.simulator.stream_arn
    stage.simulator.recreate_stream(shards=3)
    found = stage.look()
    assert found.stream is not None
    assert (found.exit_status, found.stream.arn, len(found.shards)) == (1, old, 2)


def test_a_stream_that_is_gone(make_stage: MakeStage) -> None:
    """Leases say what was left."""
    stage = make_stage()
    stage.leases()
    stage.simulator.delete_stream()
    found = stage.look()
    assert (found.exit_status, found.counts.reading) == (1, 2)
    assert "no longer exists" in texts(found)


def test_a_source_without_a_stream(make_stage: MakeStage) -> None:
    """Nothing can be replicated from it."""
    stage = make_stage()
    stage.simulator.delete_stream()
    found = stage.look()
    assert (found.exit_status, found.stream) == (1, None)
    assert "the source's stream: is off" in texts(found)


def test_a_source_that_is_gone(make_stage: MakeStage) -> None:
    """Its stream is known from the task's row, and outlives it."""
    stage = make_stage()
    stage.given["sourceTable"] = "no-such-table"
    stage.leases(checkpoints=stage.newest())
    found = stage.look()
    assert (found.exit_status, found.source.status, found.counts.reading) == (1, "MISSING", 2)
    assert "source table no-such-table in eu-west-1: does not exist" in only(found)


def test_a_destination_that_is_gone(make_stage: MakeStage) -> None:
    """Daemons wait for it; that is not healthy."""
    stage = make_stage()
    stage.given["destinationTable"] = "no-such-table"
    stage.leases(checkpoints=stage.newest())
    found = stage.look()
    assert (found.exit_status, found.destination.status) == (1, "MISSING")
    assert "destination table no-such-table in us-east-1: does not exist" in only(found)


def test_the_settings_of_another_replication(make_stage: MakeStage) -> None:
    """A task's name that is taken by another is said, with whose it is."""
    stage = make_stage()
    table = stage.leases(recorded=False, checkpoints=stage.newest())
    table.record(stage.simulator.stream_arn, source_table="customers")
    found = stage.look()
    assert found.exit_status == 1
    assert "replicates customers in eu-west-1 to" in only(found)


def test_changes_that_were_trimmed_are_lost(make_stage: MakeStage) -> None:
    """A checkpoint that lies before what is left of the shard is past catching up with."""
    stage = make_stage(shards=1)
    stage.put(10)
    (shard,) = stage.simulator.shards()
    records = stage.records(shard.id)
    stage.leases(checkpoints={shard.id: records[1]})
    stage.simulator.trim(shard.id, records=5)
    found = stage.look()
    assert (found.exit_status, found.shards[0].lost, found.shards[0].lag_seconds) == (1, True, None)
    assert "1 shard with changes that are lost" in only(found)


def test_a_trimmed_checkpoint_with_nothing_after_it_is_no_loss(make_stage: MakeStage) -> None:
    """All that was trimmed was applied."""
    stage = make_stage(shards=1)
    stage.put(3)
    (shard,) = stage.simulator.shards()
    stage.leases(checkpoints=stage.newest())
    stage.simulator.trim(shard.id)
    found = stage.look()
    assert (found.exit_status, found.lag_seconds) == (0, 0.0)


def test_a_shard_that_the_stream_has_no_more(make_stage: MakeStage) -> None:
    """An unfinished lease of it means that changes are lost."""
    stage = make_stage(shards=1)
    stage.put(3)
    (parent,) = stage.simulator.shards()
    child = stage.simulator.roll_over()
    stage.leases(checkpoints={parent.id: stage.records(parent.id)[0]})
    stage.simulator.expire(parent.id)
    found = stage.look()
    assert found.exit_status == 1
    assert {shard.shard_id: shard.lost for shard in found.shards} == {parent.id: True, child.id: False}


def test_throttled_reads_are_made_again(make_stage: MakeStage) -> None:
    """The daemons read the same shards, so a look may find their reads used up."""
    stage = make_stage(shards=4, hours=1)
    stage.put(40)
    stage.leases()
    fault = stage.simulator.inject(faults.error("ProvisionedThroughputExceededException"), "GetRecords", times=3)
    found = stage.look(max_lag_seconds=7200)
    assert (found.exit_status, fault.met) == (0, 3)
    assert [shard.lag_seconds for shard in found.shards] == [pytest.approx(HOUR, abs=120)] * 4


@pytest.mark.parametrize("away", ["stream", "checkpoints"])
def test_what_can_t_be_reached_is_5(away: str, make_stage: MakeStage) -> None:
    """The rest is shown all the same, and nothing that is not known is called wrong."""
    stage = make_stage()
    stage.leases(checkpoints=stage.newest())
    with stage.proxy.away() if away == "checkpoints" else nullcontext():
        if away == "stream":
            stage.simulator.inject(faults.empty(), "DescribeStream")
        found = stage.look()
    assert found.exit_status == 5
    assert all("can't be read" in finding.value for finding in found.findings)
    assert found.source.status == "ACTIVE"
    assert found.state == ("unknown" if away == "checkpoints" else "running")
    assert len(found.shards) == (0 if away == "checkpoints" else 2)


def test_shards_that_can_t_be_read_are_named_once(make_stage: MakeStage) -> None:
    """A stream that goes away in the middle is one finding, not one for each shard."""
    stage = make_stage(shards=40)
    stage.leases(checkpoints=stage.newest())
    stage.simulator.inject(faults.error("AccessDeniedException"), "GetShardIterator")
    found = stage.look()
    assert found.exit_status == 5
    assert "AccessDeniedException" in only(found)
    assert found.counts.reading == 40
    assert all(shard.lag_seconds is None for shard in found.shards)


def test_dead_letters_are_counted(make_stage: MakeStage, tmp_path: Path) -> None:
    """They are no fault of the task's, so it stays healthy."""
    stage = make_stage()
    stage.leases(checkpoints=stage.newest())
    place = tmp_path / "letters.jsonl"
    assert stage.look(onError="deadLetter", deadLetterUri=f"file://{place}").dead_letters is not None
    for key in "abc":
        LetterFile(place).put(letter(key))
    found = stage.look(onError="deadLetter", deadLetterUri=f"file://{place}")
    assert found.dead_letters is not None
    assert (found.exit_status, found.dead_letters.count, found.dead_letters.more) == (0, 3, False)


def test_how_far_a_copy_has_come(make_stage: MakeStage) -> None:
    """The segments' rows are added up while it runs; being under way is no fault."""
    stage = make_stage()
    table = stage.leases(checkpoints=stage.newest())
    assert stage.look().copy is None
    copy = CopyState(
        id="c", segments=4, started_ms=1, stream_arn=stage.simulator.stream_arn, expected_items=100, host="here"
    )
    task_table = stage.settings().task_table
    copy_rows.write(table.client, task_table, copy, before=None)
    held = msgspec.structs.replace(copy, holder="h")
    for number, done in enumerate((True, False)):
        copy_rows.take(table.client, task_table, held, number, seen="")
        segment = SegmentState(number=number, done=done, items=10, filtered=4 * done, size_bytes=1000)
        copy_rows.save(table.client, task_table, held, segment)
    found = stage.look()
    assert found.copy is not None
    assert (found.exit_status, found.copy.items, found.copy.size_bytes, found.copy.segments_done) == (0, 20, 2000, 1)
    assert found.copy.filtered == 4
    assert "not through, 20 and 4 left out of some 100 items, 1 of 4 segments done, begun by here" in shown(found)


def test_how_many_records_the_settings_have_left_out(make_stage: MakeStage) -> None:
    """By the leases' rows: of each shard that has a number there, also of finished ones, and the sum; else nothing."""
    stage = make_stage(shards=3)
    table = stage.leases(checkpoints=stage.newest())
    plain = stage.look()
    assert (plain.filtered, "filtered" in shown(plain)) == (None, False)
    first, second, third = (shard.id for shard in stage.simulator.shards())
    for shard, number in ((first, "1200"), (second, "34"), (third, "1.5")):
        table.set_filtered(shard, number)
    table.finish(second)
    found = stage.look()
    assert {shard.shard_id: shard.filtered for shard in found.shards} == {first: 1200, second: 34, third: None}
    assert found.filtered == 1234
    assert "1,234 records of shards with a lease wrote nothing" in shown(found)
    assert "1,200" in next(line for line in shown(found).splitlines() if line.startswith(first))
    assert json.loads(run(stage, "--json")[1])["filtered"] == 1234


def shown(found: StatusReport) -> str:
    """As a person sees it, on a wide terminal."""
    console = Console(width=250, force_terminal=False, markup=False, highlight=False)
    with console.capture() as capture:
        console.print(render.render(found))
    return capture.get()


def test_people_see_a_table_of_what_is_left_to_do(make_stage: MakeStage) -> None:
    """The worst come first, finished shards are only counted, and there is an end to it."""
    stage = make_stage(shards=49, hours=1)
    stage.put(300)
    stage.simulator.roll_over(stage.simulator.shards()[0].id)
    shards = [shard.id for shard in stage.simulator.shards()]
    stage.leases(checkpoints=stage.newest() | {shards[0]: SHARD_END}, owners={shards[7]: None})
    found = stage.look()
    text = shown(found)
    rows = [line for line in text.splitlines() if line.startswith("shardId-")]
    assert len(rows) == render.SHOWN
    assert rows[0].startswith(shards[7])
    assert "unowned" in rows[0]
    assert rows[0].rstrip().endswith("no owner")
    assert shards[0] not in text
    assert text.index("1 shard without an owner") < text.index(rows[0])
    assert "and 9 more; --json has all of them" in text
    assert "not healthy, running" in text
    assert "1 shard without an owner" in text
    assert "w-1: alive, 48 shards" in text
    assert stage.simulator.stream_arn in text
    line = render.line(found, datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert line.startswith("2026-01-01T00:00:00+00:00 ")
    assert "48 reading, 0 waiting, 1 without an owner, 1 finished; daemons: 1" in line


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "?"),
        (0.0, "0.0 s"),
        (59.9, "59.9 s"),
        (119.9, "1 min 59 s"),
        (7260.0, "2 h 1 min"),
        (86_399, "23 h 59 min"),
    ],
)
def test_durations_are_for_people(seconds: float | None, expected: str) -> None:
    """Two units at most."""
    assert expected == duration(seconds)
