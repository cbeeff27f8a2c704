"""Applications write on both sides, and both tables end equal: the real daemon, and each step of a pair's life."""

from __future__ import annotations

import json
import random
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from processor.commands.demo.workload import scan
from tests.fakes.daemon.direction_probe import DirectionProbe
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.command import command, end_of
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair, Servers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MARKER = "_replication"
BOTH_STREAM_IMAGES: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


class TwoWay(Pair):
    """A hub and a spoke, each with its stream."""

    def __init__(self, servers: Servers, folder: Path, *, stream: bool = True) -> None:
        super().__init__(servers)
        self.hub, self.spoke = self.source, self.destination
        self.conflicts_file = folder / f"{self.destination_table}.jsonl"
        if stream:
            self.turn_stream_on()
        self.one_way = dict(self.settings)
        self.settings |= {"twoWay": "true", "conflictUri": f"file://{self.conflicts_file}"}

    def turn_stream_on(self) -> None:
        """The spoke's."""
        self.spoke.update_table(TableName=self.destination_table, StreamSpecification=BOTH_STREAM_IMAGES)

    def put_spoke(self, key: str, **attributes: Any) -> None:
        """An application's."""
        self.spoke.put_item(TableName=self.destination_table, Item={"id": {"S": key}, **attributes})

    def at_hub(self) -> dict[str, Any]:
        """The hub's items by key."""
        return scan(self.hub, self.source_table)

    def at_spoke(self) -> dict[str, Any]:
        """The spoke's, without their markers."""
        return {
            key: {name: value for name, value in item.items() if name != MARKER}
            for key, item in self.replicated().items()
        }

    def marked(self) -> set[str]:
        """The keys of the spoke's items that bear a marker."""
        return {key for key, item in self.replicated().items() if MARKER in item}

    def wait_equal(self) -> None:
        """Until both tables hold the same."""
        until(lambda: self.at_hub() == self.at_spoke(), "hub = spoke", pause_seconds=0.1)

    def conflicts(self) -> list[dict[str, Any]]:
        """What is kept of them."""
        if not self.conflicts_file.exists():
            return []
        return [json.loads(line) for line in self.conflicts_file.read_text().splitlines()]

    def command(self, name: str, *options: str, **changed: str) -> tuple[int, str, str]:
        """Exit status and output of one."""
        return end_of(command(name, self.settings | changed, *options))

    def wait_begun(self) -> None:
        """Until what is written on either side arrives at the other one; what that took is gone again.

        Else the tables could stay different: what was written at the spoke too early does not go up.
        """
        probe = DirectionProbe((self.hub, self.source_table), (self.spoke, self.destination_table))
        probe.wait()
        probe.remove()


class Writer(threading.Thread):
    """An application that puts, updates and deletes a few items of one table."""

    def __init__(self, client: DynamoDBClient, table: str, *, seed: int) -> None:
        super().__init__(name=f"writer of {table}", daemon=True)
        self._client = client
        self._table = table
        self._random = random.Random(seed)
        self._is_over = threading.Event()
        self.written = 0

    def run(self) -> None:
        """Until it is stopped."""
        while not self._is_over.wait(self._random.uniform(0, 0.03)):
            self._write({"id": {"S": f"hot-{self._random.randrange(12):02d}"}})
            self.written += 1

    def _write(self, key: Any) -> None:
        value: Any = {"S": f"{self._table}-{self.written}"}
        kind = self._random.randrange(5)
        if kind == 0:
            self._client.delete_item(TableName=self._table, Key=key)
        elif kind == 1:
            self._client.put_item(TableName=self._table, Item={**key, "value": value})
        else:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET #v = :v",
                ExpressionAttributeNames={"#v": "value"},
                ExpressionAttributeValues={":v": value},
            )

    def stop(self) -> None:
        """End after the write in progress."""
        self._is_over.set()
        self.join()


@pytest.fixture
def two_way(servers: Servers, tmp_path: Path) -> TwoWay:
    """Fresh tables."""
    return TwoWay(servers, tmp_path)


def test_writers_on_both_sides_through_a_crash_and_an_outage(two_way: TwoWay, tmp_path: Path) -> None:
    """A filled hub is copied, and both are written, hot keys above all; in the end they are equal, by verify, too."""
    for number in range(60):
        two_way.put(f"hot-{number:02d}", n={"N": str(number)})
    with FaultProxy(two_way.settings["destinationEndpoint"]) as proxy:
        settings = two_way.settings | {"destinationEndpoint": proxy.endpoint}
        status, said, errors = two_way.command("copy")
        assert status == 0, said + errors
        assert len(two_way.marked()) == 60
        writers = [
            Writer(two_way.hub, two_way.source_table, seed=1),
            Writer(two_way.spoke, two_way.destination_table, seed=2),
        ]

        def write(more: int) -> None:
            goals = [writer.written + more for writer in writers]
            until(lambda: all(each.written >= goal for each, goal in zip(writers, goals, strict=True)), "writes")

        with Replicator(tmp_path / "daemon", settings) as running:
            two_way.wait_begun()
            for writer in writers:
                writer.start()
            write(80)
            running.stop(signal.SIGKILL)
            write(20)
            running.start()
            until(lambda: len(running.events("shard_started")) >= 4, "both directions again")
            write(80)
            with proxy.away():
                write(60)
            write(60)
            for writer in writers:
                writer.stop()
            two_way.wait_equal()
            assert running.stop() == 0, running.console[-3000:]
    status, said, errors = two_way.command("verify")
    assert status == 0, said + errors
    conflicts = [each for each in two_way.conflicts() if each["key"]["id"]["S"].startswith("hot-")]
    assert conflicts
    assert {each["outcome"] for each in conflicts} <= {"hubWins", "hubOverwritten"}


def test_a_pair_becomes_two_way_and_one_way_again(servers: Servers, tmp_path: Path) -> None:
    """Without a pause for applications; what a replication of one direction wrote is nobody's write at the spoke."""
    pair = TwoWay(servers, tmp_path, stream=False)
    with Replicator(tmp_path / "one", pair.one_way) as one_way:
        for value in ("a", "b", "a"):
            pair.put("returning", v={"S": value})
        pair.wait_for("returning")
        status, said, errors = pair.command("check")
        assert status == 22, said + errors
        assert "stream of destination table destination-" in errors
        pair.turn_stream_on()
        for value in ("b", "a"):
            pair.put("returning", v={"S": value})
        pair.put("after it")  # until then the spoke may have the "a" of before, and "b" is still to come
        pair.wait_for("after it")
        pair.wait_equal()
        assert one_way.stop() == 0
    assert pair.command("check")[0] == 0
    history = pair.at_hub()
    with Replicator(tmp_path / "two", pair.settings) as both:
        pair.wait_begun()
        assert {key: item for key, item in pair.at_hub().items() if key in history} == history
        pair.put_spoke("returning", v={"S": "own"})
        until(lambda: pair.at_hub()["returning"]["v"] == {"S": "own"}, "the spoke's write at the hub")
        status, said, _ = pair.command("status")
        assert said.count("healthy, running") == 2, said
        pair.wait_equal()
        assert pair.command("unmark")[0] == 22
        assert both.stop() == 0
    with Replicator(tmp_path / "again", pair.one_way) as one_way:
        pair.put("later")
        pair.wait_for("later")
        assert pair.marked()
        status, said, errors = end_of(command("unmark", pair.one_way, "--json"))
        assert status == 0, said + errors
        assert json.loads(said)["complete"]
        assert not pair.marked()
        pair.wait_equal()
        assert one_way.stop() == 0
    with Replicator(tmp_path / "later", pair.settings) as refused:
        until(lambda: "uplink-of-before" in refused.console or refused.process.poll() is not None, "an end")
        assert refused.wait() == 22
        assert "has checkpoints from before the task was replicated in one direction" in refused.console


def test_a_star(servers: Servers, tmp_path: Path) -> None:
    """What is written at one spoke arrives at the hub and at the other spoke, through one daemon of both."""
    first, second = TwoWay(servers, tmp_path), TwoWay(servers, tmp_path)
    second.hub.delete_table(TableName=second.source_table)
    second.source_table = second.settings["sourceTable"] = first.source_table
    conf = tmp_path / "conf"
    conf.mkdir()
    for name, pair in (("first", first), ("second", second)):
        text = "".join(f"{key}={value}\n" for key, value in pair.settings.items())
        (conf / f"{name}.properties").write_text(text)
    with _directory(conf, tmp_path) as running:
        first.wait_begun()
        second.wait_begun()
        first.put_spoke("from first", n={"N": "1"})
        second.put_spoke("from second", n={"N": "2"})
        until(lambda: {"from first", "from second"} <= {*first.at_spoke()}, "both at the first spoke")
        until(lambda: {"from first", "from second"} <= {*second.at_spoke()}, "both at the second spoke")
        first.wait_equal()
        second.wait_equal()
        assert running.stop() == 0, running.console[-3000:]


def _directory(conf: Path, folder: Path) -> Replicator:
    """The daemon of a directory."""
    logs = ["--logDirectory", str(folder / "daemon" / "logs"), "--dontPublishCloudwatch", "true"]
    return Replicator(folder / "daemon", {}, given=[conf], arguments=logs)


def test_the_hub_is_away_and_comes_back(two_way: TwoWay, tmp_path: Path) -> None:
    """The spoke goes on being written; when the hub is back, all of that is sent. Checkpoints are at the hub's, too."""
    with FaultProxy(two_way.settings["sourceEndpoint"]) as proxy:
        settings = two_way.settings | {"sourceEndpoint": proxy.endpoint}
        with Replicator(tmp_path / "daemon", settings) as running:
            two_way.wait_begun()
            with proxy.away():
                until(lambda: running.events("checkpoints_unusable"), "the outage said")
                for number in range(20):
                    two_way.put_spoke(f"away-{number}", n={"N": str(number)})
            until(lambda: "away-19" in two_way.at_hub(), "the spoke's writes at the hub")
            two_way.wait_equal()
            assert running.stop() == 0, running.console[-3000:]
    assert two_way.command("verify")[0] == 0


def test_the_spoke_is_made_by_copy(servers: Servers, tmp_path: Path) -> None:
    """With its stream, though nobody asks for one."""
    pair = TwoWay(servers, tmp_path)
    pair.spoke.delete_table(TableName=pair.destination_table)
    pair.put("a")
    status, said, errors = pair.command("copy", createDestination="true")
    assert status == 0, said + errors
    table = pair.spoke.describe_table(TableName=pair.destination_table)["Table"]
    assert table["StreamSpecification"] == BOTH_STREAM_IMAGES
    assert pair.marked() == {"a"}
