"""A pass of the continuous verification on DynamoDB Local: what is kept of it, and who goes on with it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from processor.aws.clients import Clients
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.verify import command, rolling
from processor.commands.verify.options import VerifyOptions
from processor.errors import NotReadyError, PassTakenError, StalledError
from processor.flow.rate_limiter import Capacity
from processor.state import verification_row
from processor.state.verification_row import VerificationState
from tests.conftest import Tables
from tests.fakes.machine.as_process import as_process
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Exchange
from tests.fakes.policies import limit_commands
from tests.fakes.task.tasks import task
from tests.protocol.conftest import item
from tests.protocol.test_verify import Pair

ROLLING = VerifyOptions(rolling=True, as_json=True)
ITEMS = 100


class Replica(Pair):
    """Two tables of a task that was started, and passes."""

    def start(self) -> None:
        """Make the task's table."""
        self.tables.create("name:S", name=self._task().task_table)

    def go_on(self) -> tuple[int, dict[str, Any]]:
        """A run of a pass: its exit status and report."""
        status = command.run(self._task(), ROLLING, pause=self.pause)
        return status, self.report()

    def kept(self) -> VerificationState:
        """The row."""
        found = verification_row.read(Clients(self._task()).checkpoints(), self._task().task_table)
        assert found is not None
        return found

    def give(self, **settings: str) -> None:
        """Change settings."""
        self.settings |= settings


@pytest.fixture
def replica(tables: Tables, dynamodb: DynamoDBLocal, capsys: pytest.CaptureFixture[str]) -> Iterator[Replica]:
    """Of a hundred equal items, started, with all that a pass finds made good at once."""
    with as_process():
        made = Replica(tables, dynamodb.endpoint, capsys)
        made.give(verifyEvery="24h", taskName=tables.name(), verifyReadUnits="100000")
        made.fill(ITEMS)
        made.start()
        yield made


def test_a_whole_pass_is_kept(replica: Replica) -> None:
    """What was found, and through when: the moment at which it began, before anything was read."""
    before_ms = int(time.time() * 1000)
    assert replica.go_on()[0] == 0
    kept = replica.kept()
    assert (kept.running, kept.failure) == (None, None)
    assert kept.last is not None
    assert (kept.last.equal, kept.last.differing) == (ITEMS, 0)
    assert before_ms <= kept.last.through_ms <= kept.last.ended_ms <= int(time.time() * 1000)
    assert kept.since_ms == kept.last.through_ms


def test_what_it_finds_is_mended_only_where_that_is_asked_for(replica: Replica) -> None:
    """Not at first; then what is missing or different; and what only the destination has only by its own word."""
    replica.tables.put(replica.source, item("missing"))
    replica.tables.put(replica.destination, item("extra"))
    expected = {"false": (1, 0, 2), "true": (1, 1, 1), "deleteExtra": (0, 1, 0)}
    for repair, (status, repaired, left) in expected.items():
        replica.give(verifyRepair=repair)
        assert replica.go_on()[0] == status
        last = replica.kept().last
        assert last is not None
        assert (last.repaired, last.differing) == (repaired, left)
    assert replica.tables.items(replica.source) == replica.tables.items(replica.destination)


def test_who_comes_next_goes_on(replica: Replica, dynamodb: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that hold the same items are not read again; the pass keeps its begin, and all that it has counted."""
    limit_commands(monkeypatch, outage_seconds=0.0, denied_seconds=0.0)
    replica.put_many(replica.source, [item(f"missing-{number}") for number in range(8)])
    read: set[int] = set()
    lock = threading.Lock()

    def note(exchange: Exchange) -> bool:
        segment = json.loads(exchange.body)["Segment"]
        with lock:
            read.add(segment)
        return segment >= 8

    with FaultProxy(dynamodb.endpoint) as proxy:
        replica.give(destinationEndpoint=proxy.endpoint)
        denied = proxy.inject(faults.error("AccessDeniedException"), "Scan", when=note)
        with pytest.raises(StalledError):
            replica.go_on()
        replica.report()
        first = replica.kept().running
        assert first is not None
        assert first.numbers <= set(range(8))
        assert first.numbers
        denied.clear()
        read.clear()
        proxy.inject(faults.error("never"), "Scan", when=lambda exchange: note(exchange) and False)
        assert replica.go_on()[0] == 1
    assert read == set(range(first.parts)) - first.numbers
    last = replica.kept().last
    assert last is not None
    assert (last.through_ms, last.equal, last.missing, last.differing) == (first.started_ms, ITEMS, 8, 8)


def test_a_pass_of_other_tables_is_begun_anew(replica: Replica) -> None:
    """What was settled says nothing of a table that was made again, or of other settings about items."""
    stale = verification_row.Pass(
        holder="x", host="h/1", started_ms=1, saved_ms=1, scope="others", parts=16, settled="ffff", source_items=9
    )
    client = Clients(replica._task()).checkpoints()
    verification_row.begin(client, replica._task().task_table, stale, seen=None)
    replica.go_on()
    last = replica.kept().last
    assert last is not None
    assert (last.equal, last.through_ms > 1) == (ITEMS, True)


def test_a_pass_by_other_rules_is_begun_anew(
    replica: Replica, dynamodb: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was settled by one rule for items past their TTL says nothing by another."""
    limit_commands(monkeypatch, outage_seconds=0.0, denied_seconds=0.0)
    with FaultProxy(dynamodb.endpoint) as proxy:
        replica.give(destinationEndpoint=proxy.endpoint)
        denied = proxy.inject(
            faults.error("AccessDeniedException"),
            "Scan",
            when=lambda exchange: json.loads(exchange.body)["Segment"] >= 8,
        )
        with pytest.raises(StalledError):
            replica.go_on()
        replica.report()
        first = replica.kept().running
        assert first is not None
        assert first.numbers
        denied.clear()
        replica.give(ttlDeletes="ignore")
        replica.go_on()
    last = replica.kept().last
    assert last is not None
    assert (last.equal, last.through_ms > first.started_ms) == (ITEMS, True)


def test_a_run_that_was_overtaken_ends(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps nothing, and says why."""
    monkeypatch.setattr(rolling, "SAVE_SECONDS", 0.0)
    begin = verification_row.begin

    def overtaken(client: Any, table: str, begun: verification_row.Pass, **seen: Any) -> None:
        begin(client, table, begun, **seen)
        begin(client, table, msgspec.structs.replace(begun, holder="other"), seen=begun)

    monkeypatch.setattr(verification_row, "begin", overtaken)
    with pytest.raises(PassTakenError, match="another process has taken over this verification"):
        replica.go_on()
    running = replica.kept().running
    assert running is not None
    assert running.holder == "other"


def test_by_hand_everything_counts_and_a_part_does_not(replica: Replica) -> None:
    """A whole verification clears what a pass has found; a sample says nothing of the rest."""
    replica.tables.put(replica.source, item("missing"))
    replica.go_on()
    assert replica.verify(share=0.5, repair=True)[0] in {0, 1}
    last = replica.kept().last
    assert last is not None
    assert last.differing == 1
    assert replica.verify(repair=True)[0] == 0
    last = replica.kept().last
    assert last is not None
    assert last.differing == 0


def test_by_hand_nothing_is_written_where_nobody_verifies(replica: Replica, dynamodb: DynamoDBLocal) -> None:
    """Without verifyEvery a verification reads, and no more."""
    replica.give(verifyEvery="off")
    with FaultProxy(dynamodb.endpoint) as proxy:
        replica.give(kclEndpoint=proxy.endpoint)
        replica.verify()
    assert not proxy.received


def test_a_task_that_was_never_started(replica: Replica, tables: Tables) -> None:
    """It has no table in which a pass could be kept."""
    replica.give(taskName=tables.name())
    with pytest.raises(NotReadyError, match="was never started"):
        replica.go_on()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_pace_is_kept(replica: Replica, monkeypatch: pytest.MonkeyPatch, processes: str) -> None:
    """Every read waits for its turn, of scans and by key, and counts with what DynamoDB says that it has cost."""
    replica.tables.put(replica.source, item("missing"))
    limits: list[float | None] = []
    monkeypatch.setattr(
        "processor.commands.verify.sides.Capacity",
        lambda limit, **given: limits.append(limit) or made.append(Capacity(limit, **given)) or made[-1],
    )
    made: list[Capacity] = []
    replica.give(verifyProcesses=processes)
    replica.go_on()
    sharing = 1 if processes == "1" else 3
    assert limits == [100_000 / sharing] * 2
    if processes == "1":
        # 16 parts, a page each, half a unit at least; then those that differ once more, and keys.
        assert all(each.consumed > 16 * 0.5 for each in made)


def test_settings_of_a_task_are_enough(replica: Replica) -> None:
    """Its own options contradict no setting: verifyReadUnits holds by hand, too."""
    assert task(**replica.settings).verify_read_units == "100000"
    assert replica.verify()[0] == 0
