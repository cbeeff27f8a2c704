"""``./run.sh copy`` with the real daemon: nothing lost, nothing old over something newer, whoever is killed when."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from processor.commands.demo.workload import Workload, scan
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.command import command, end_of
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act, Fault
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

MakeReplicator = Callable[..., Replicator]
ITEMS = 300


# Who signs the copy's requests, and not the daemon's.
COPY = {"AWS_ACCESS_KEY_ID": "copy"}


class Stage:
    """A source with items, and proxies in which the copy's calls, not the daemon's, may go wrong."""

    def __init__(self, pair: Pair, source: FaultProxy, destination: FaultProxy) -> None:
        self.pair = pair
        self.source = source
        self.destination = destination
        self.settings = pair.settings | {
            "sourceEndpoint": source.endpoint,
            "destinationEndpoint": destination.endpoint,
            "kclEndpoint": source.endpoint,
            "copySegments": "2",
        }
        for first in range(0, ITEMS, 25):
            items = [{"id": {"S": f"{number:03}"}, "n": {"N": "0"}} for number in range(first, first + 25)]
            requests: Any = [{"PutRequest": {"Item": item}} for item in items]
            pair.source.batch_write_item(RequestItems={pair.source_table: requests})

    def inject(self, place: str, act: Act, *operations: str, mark: bytes = b"", times: float = float("inf")) -> Fault:
        """Something happens to these calls of the copy, whose bodies have ``mark`` in them."""
        return getattr(self, place).inject(
            act,
            *operations,
            when=lambda exchange: exchange.access_key == "copy" and mark in exchange.body,
            times=times,
        )

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a copy."""
        return command("copy", self.settings, *options, environment=COPY)

    def copy(self, *options: str) -> dict[str, Any]:
        """Run it to its end."""
        status, output, errors = end_of(self.start("--json", *options))
        assert status == 0, errors
        found: dict[str, Any] = json.loads(output)
        return found

    def verify(self) -> None:
        """The tables are equal, but for keys that the source changes too fast to tell."""
        status, output, errors = end_of(command("verify", self.settings, "--json"))
        assert status == 0, (output, errors)

    def bump(self, *keys: str) -> None:
        """The source's items change."""
        for key in keys:
            self.pair.put(key, n={"N": "1"})

    def wait_equal(self) -> None:
        """Until both tables hold the same, but for what writeMode=fenced adds."""

        def equal() -> bool:
            found = self.pair.replicated()
            for item in found.values():
                item.pop("_replicatedSequenceNumber", None)
            return scan(self.pair.source, self.pair.source_table) == found

        until(equal, "source = destination")

    def wait_replicated(self, *, gone: str, changed: str) -> None:
        """Until the daemon has deleted one key and changed another."""
        until(lambda: gone not in self.pair.replicated(), f"{gone} deleted")
        until(lambda: self.pair.replicated().get(changed, {}).get("n") == {"N": "1"}, f"{changed} changed")


@pytest.fixture
def stage(pair: Pair) -> Iterator[Stage]:
    """A fresh one."""
    with FaultProxy(pair.settings["sourceEndpoint"]) as source, FaultProxy(pair.settings["destinationEndpoint"]) as to:
        yield Stage(pair, source, to)


def test_before_a_replication_while_the_source_is_written(
    stage: Stage, replicator: MakeReplicator, live: Callable[..., Workload]
) -> None:
    """Items change and go while they are copied; the replication that starts then makes the tables equal."""
    workload = live(seed=1)
    until(lambda: workload.written > 100, "the workload")
    report = stage.copy()
    assert report["items"] >= ITEMS
    assert report["writeUnits"] >= ITEMS
    again = stage.copy()
    assert (again["complete"], again["items"], again["itemsBefore"]) == (True, report["items"], report["items"])
    with replicator(stage.settings) as running:
        stage.pair.put("last")
        stage.pair.wait_for("last")
        stage.verify()
        workload.stop()
        stage.pair.wait_equal()
        assert running.stop() == 0


def test_beside_a_replication(stage: Stage, replicator: MakeReplicator, live: Callable[..., Workload]) -> None:
    """What the daemon deletes and changes while the copy's writes are under way stays deleted, and changed."""
    workload = live(seed=2)
    with replicator(stage.settings) as running:
        stage.pair.wait_checkpoint()
        held = stage.inject("destination", faults.hold(), "BatchWriteItem")
        copying = stage.start("--concurrent", "--json")
        held.wait(2)
        stage.pair.delete("000")
        stage.bump("001")
        stage.wait_replicated(gone="000", changed="001")
        held.clear()
        status, _, errors = end_of(copying)
        assert status == 0, errors
        stage.verify()
        workload.stop()
        stage.pair.wait_equal()
        assert "000" not in stage.pair.replicated()
        assert running.stop() == 0


# What a copy does, in this order: whose call it is, and whether the copy dies before it arrives or before its answer.
PHASES = [
    ("its row is written", "source", "PutItem", False),
    ("its row is written", "source", "PutItem", True),
    ("segments are claimed", "source", "UpdateItem", False),
    ("a page is scanned", "source", "Scan", True),
    ("keys are kept in hand", "source", "PutItem", True),
    ("items are written", "destination", "BatchWriteItem", False),
    ("items are written", "destination", "BatchWriteItem", True),
    ("the source is looked at again", "source", "BatchGetItem", True),
]
FENCED_PHASES = [
    ("items are written", "destination", "PutItem", True),
    ("the source is looked at again", "source", "BatchGetItem", False),
]


@pytest.mark.parametrize(("write_mode", "phases"), [("batch", PHASES), ("fenced", FENCED_PHASES)])
def test_killed_in_every_phase(
    stage: Stage, replicator: MakeReplicator, write_mode: str, phases: list[tuple[str, str, str, bool]]
) -> None:
    """Whatever the source does between the death of a copy and the next one, which goes on where it was."""
    pair = stage.pair
    stage.settings["writeMode"] = write_mode
    with replicator(stage.settings) as running:
        pair.wait_checkpoint()
        for number, (phase, place, operation, after) in enumerate(phases):
            mark = b'"inHand"' if phase == "keys are kept in hand" else b""
            fault = stage.inject(place, faults.hold(after=after), operation, mark=mark)
            copying = stage.start("--concurrent", "--restart")
            fault.wait()
            copying.send_signal(signal.SIGKILL)
            copying.communicate()
            fault.clear()
            pair.delete(f"00{number}")
            stage.bump(f"10{number}")
            stage.wait_replicated(gone=f"00{number}", changed=f"10{number}")
            stage.copy("--concurrent")
            stage.wait_equal()
        assert running.stop() == 0


def test_a_daemon_and_a_copy_that_were_not_made_for_each_other(stage: Stage, replicator: MakeReplicator) -> None:
    """Neither begins beside the other."""
    running = replicator(stage.settings)
    with running:
        stage.pair.wait_checkpoint()
        status, _, errors = end_of(stage.start())
        assert status == 22
        assert "This task is being replicated now" in errors
        assert running.stop() == 0
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    copying = stage.start()
    held.wait()
    running.start()
    assert running.wait() == 22
    assert "is not through" in running.console
    # As if it had looked before the copy's row was there.
    hasty = replicator(stage.settings, name="hasty")
    row = stage.source.inject(
        faults.answer({}),
        "GetItem",
        when=lambda exchange: exchange.access_key == "hasty" and b'"copy"' in exchange.body,
        times=2,
    )
    hasty.start(environment={"AWS_ACCESS_KEY_ID": "hasty"})
    row.wait()
    assert hasty.wait() == 5
    assert "could put older items over newer ones" in hasty.console
    held.clear()
    status, _, errors = end_of(copying)
    assert status == 0, errors
    running.start()
    stage.pair.put("last")
    stage.pair.wait_for("last")
    # The first daemon's checkpoint was there when this one started.
    status, _, errors = end_of(stage.start())
    assert status == 22
    assert "and replicated since" in errors
    assert running.stop() == 0
    stage.pair.wait_equal()


def test_an_item_that_is_never_accepted(stage: Stage, tmp_path: Any) -> None:
    """It ends the copy with its key; or it is set aside, each in a letter of its own."""
    stage.inject("destination", faults.error("ValidationException"), "BatchWriteItem", "PutItem", mark=b'"00')
    status, _, errors = end_of(stage.start())
    assert status == 22
    assert "will never accept the put of key" in errors
    path = tmp_path / "letters.jsonl"
    stage.settings |= {"onError": "deadLetter", "deadLetterUri": path.as_uri()}
    assert stage.copy()["setAside"] == 10
    assert len({json.loads(line)["shardId"] for line in path.read_text().splitlines()}) == 10
    assert len(scan(stage.pair.destination, stage.pair.destination_table)) == ITEMS - 10


def test_throttling_slows_it_down_and_a_signal_stops_it(stage: Stage) -> None:
    """It goes on where it was: no finished page is scanned again."""
    busy = stage.inject("destination", faults.error("ThrottlingException"), "BatchWriteItem")
    copying = stage.start()
    busy.wait(20)
    copying.send_signal(signal.SIGINT)
    assert end_of(copying)[0] == 130
    busy.clear()
    stage.inject("source", faults.error("ThrottlingException"), "Scan", mark=b'"Segment"', times=5)
    stage.inject("destination", faults.unprocessed(3), "BatchWriteItem", times=5)
    assert stage.copy()["items"] == ITEMS
    assert scan(stage.pair.source, stage.pair.source_table) == stage.pair.replicated()


def _expire(stage: Stage, *keys: str) -> Fault:
    """These are past the source's TTL, which is on ``expires`` until the fault is cleared."""
    for key in keys:
        stage.pair.put(key, expires={"N": f"{time.time() - 60:.0f}"})
    on = {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}}
    return stage.source.inject(faults.answer(on), "DescribeTimeToLive")


@pytest.mark.parametrize("options", [(), ("--concurrent",)])
def test_items_past_their_ttl_are_not_copied(stage: Stage, options: tuple[str, ...]) -> None:
    """They are counted by themselves, over all runs of a copy; verify calls the tables equal."""
    _expire(stage, "past", "past too")
    stage.pair.put("to come", expires={"N": f"{time.time() + 3600:.0f}"})
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    copying = stage.start(*options)
    held.wait()
    copying.send_signal(signal.SIGKILL)
    copying.communicate()
    held.clear()
    report = stage.copy(*options)
    assert (report["items"], report["expired"]) == (ITEMS + 1, 2)
    assert {"past", "past too"}.isdisjoint(stage.pair.replicated())
    assert "to come" in stage.pair.replicated()
    stage.verify()


@pytest.mark.parametrize("killed", [False, True])
def test_a_ttl_that_is_turned_off_while_it_copies(stage: Stage, *, killed: bool) -> None:
    """What was passed over, by whichever run, may stay at the source then: that is said, and verify finds it."""
    ttl = _expire(stage, *(f"past {number}" for number in range(20)))
    held = stage.inject("destination", faults.hold(), "BatchWriteItem", mark=b'"000"')
    copying = stage.start()
    held.wait()

    def segments_done() -> int:
        rows = stage.pair.source.scan(TableName=f"{stage.pair.checkpoint_table}-Task", ConsistentRead=True)["Items"]
        return sum(row["done"]["BOOL"] for row in rows if "done" in row)

    until(lambda: segments_done() == 1, "the end of the other segment")
    if killed:
        copying.send_signal(signal.SIGKILL)
        copying.communicate()
    ttl.clear()
    held.clear()
    status, output, errors = end_of(stage.start() if killed else copying)
    assert status == 0, errors
    assert "was on expires when the copy began, and is off" in errors
    assert "items past the source's TTL were not copied" in output
    assert json.loads(end_of(command("verify", stage.settings, "--json", "--recheck", "0"))[1])["missing"] > 0


def _put_at_the_destination(stage: Stage, *keys: str) -> None:
    for key in keys:
        stage.pair.destination.put_item(
            TableName=stage.pair.destination_table, Item={"id": {"S": key}, "theirs": {"BOOL": True}}
        )


def test_a_destination_with_somebody_elses_items(stage: Stage) -> None:
    """It is shown before the first write, with both tables' ARNs; the advice at the end says what it deletes."""
    pair = stage.pair
    theirs = [f"theirs {number}" for number in range(50)]
    _put_at_the_destination(stage, *theirs, "000", "001")
    held = stage.inject("destination", faults.hold(), "BatchWriteItem")
    copying = stage.start()
    held.wait()
    assert copying.stderr is not None
    said = []
    while "Items past" not in (line := copying.stderr.readline()) and "writes over" not in line:
        said.append(line)
    text = "".join([*said, line])
    for table in (pair.source_table, pair.destination_table):
        assert f":table/{table}" in text
    assert "of 52 looked at, 50 have a key that the source doesn't have" in text
    assert "If it is not the table that you mean, stop now" in text
    held.clear()
    status, output, errors = end_of(copying)
    assert status == 0, errors
    assert "verify --repair --deleteExtra would delete every one of them" in output
    status, output, _ = end_of(command("verify", stage.settings, "--repair", "--recheck", "0", "--show", "0"))
    assert status == 1
    assert "50 keys that only the destination has were left alone" in output
    assert set(theirs) <= pair.replicated().keys()


def test_a_dry_run_shows_whose_items_the_destination_holds(stage: Stage) -> None:
    """As one object, for scripts; an empty one is said to be; where nobody may look, that is said."""

    def dry_run() -> tuple[dict[str, Any], str]:
        status, output, errors = end_of(stage.start("--dryRun", "--json"))
        assert status == 0, errors
        found: dict[str, Any] = json.loads(output)
        ids.extend(finding["id"] for finding in found["findings"])
        return found["tables"], errors

    ids: list[str] = []
    found, _ = dry_run()
    assert found["occupants"] == {"lookedAt": 0, "foreign": 0}
    assert found["source"]["arn"].endswith(f":table/{stage.pair.source_table}")
    assert (found["source"]["items"], found["destination"]["region"]) == (ITEMS, "eu-west-1")
    _put_at_the_destination(stage, "theirs", "000")
    found, errors = dry_run()
    assert found["occupants"] == {"lookedAt": 2, "foreign": 1}
    assert "1 of 2 looked at" in errors
    stage.inject("destination", faults.error("AccessDeniedException"), "Scan")
    found, errors = dry_run()
    assert found["occupants"] is None
    assert "Allow dynamodb:Scan on it" in errors
    assert ids == ["destination-items-foreign", "destination-items-unknown"]


@pytest.mark.parametrize("name", ["check", "copy", "verify"])
def test_what_can_not_begin_says_why_to_scripts(name: str, pair: Pair) -> None:
    """A missing destination, in words and as findings with their ids."""
    pair.destination.delete_table(TableName=pair.destination_table)
    status, output, errors = end_of(command(name, pair.settings, "--json"))
    assert status == 22, errors
    found = json.loads(output)
    assert (found["ready"], [finding["id"] for finding in found["findings"]]) == (False, ["table-missing"])
    assert "does not exist" in (output if name == "check" else errors)


def _index(number: int) -> Any:
    key = [{"AttributeName": f"a{number}", "KeyType": "HASH"}]
    return {"IndexName": f"index{number}", "KeySchema": key, "Projection": {"ProjectionType": "ALL"}}


def test_the_plan_counts_what_the_destinations_indexes_take(stage: Stage) -> None:
    """And their maxima: four indexes make five times as many units, as the copy then consumes."""
    pair = stage.pair
    pair.destination.delete_table(TableName=pair.destination_table)
    pair.destination.create_table(
        TableName=pair.destination_table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "a1", "a2", "a3", "a4")],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[_index(number) for number in (1, 2, 3, 4)],
        OnDemandThroughput={"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 10},
    )
    for number in range(ITEMS):
        pair.put(f"{number:03}", **{f"a{index}": {"S": str(number)} for index in (1, 2, 3, 4)})
    status, output, errors = end_of(stage.start("--dryRun", "--json"))
    assert status == 0, errors
    found = json.loads(output)
    assert found["plan"]["writeUnits"] == 5 * ITEMS
    assert (found["plan"]["limitedBy"], found["plannedSeconds"]) == ("table", ITEMS / 10)
    stage.settings["copyWriteUnits"] = "1000"
    status, _, errors = end_of(stage.start("--dryRun"))
    assert "by the write units a second of the destination's table" in errors
    assert "table 300, index index1 300" in errors
    assert stage.copy()["writeUnits"] == 5 * ITEMS


def test_what_copy_will_make_is_planned_before_it_is_there(stage: Stage) -> None:
    """With the source's indexes; ``check`` and a dry run are ready, say what will be made, and make nothing."""
    pair = stage.pair
    pair.destination.delete_table(TableName=pair.destination_table)
    pair.source.delete_table(TableName=pair.source_table)
    pair.source.create_table(
        TableName=pair.source_table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "a1")],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[_index(1)],
    )
    stage.settings |= {"createDestination": "true", "enableStream": "true"}
    for number in range(ITEMS):
        pair.put(f"{number:03}", a1={"S": str(number)})
    status, output, errors = end_of(command("check", stage.settings))
    assert (status, "ready: copy will make the destination and turn the stream on" in output) == (0, True), errors
    status, output, _ = end_of(command("check", stage.settings, "--json"))
    assert json.loads(output)["toMake"] == ["destination", "stream"]
    status, output, errors = end_of(stage.start("--dryRun", "--json"))
    found = json.loads(output)
    assert (status, found["ready"], found["complete"], found["dryRun"]) == (0, True, False, True), errors
    assert found["plan"]["writeUnits"] == 2 * ITEMS
    status, _, errors = end_of(stage.start("--dryRun"))
    assert (status, "the copy will make it like the source, on demand, with the index index1" in errors) == (0, True)
    assert "the source's stream is off: the copy will turn it on" in errors
    assert pair.destination_table not in pair.destination.list_tables()["TableNames"]
    source = pair.source.describe_table(TableName=pair.source_table)["Table"]
    assert not source.get("StreamSpecification", {}).get("StreamEnabled")
    assert stage.copy()["complete"]
