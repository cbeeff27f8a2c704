"""A sample of the fault matrix, by seed, and a planted bug that it must notice. ``./test.sh faults`` runs all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.fakes.machine.planted import planted_checkout
from tests.fakes.patience import PATIENCE_SECONDS
from tests.faults import at_work
from tests.faults.__main__ import bucket_server
from tests.faults.cells import CALLS, FLEET, LIVES, RUNNING, Cell, chosen, sample
from tests.faults.jobs import jobs
from tests.faults.one_way import OneWay
from tests.faults.outcome import FAILED, Outcome
from tests.faults.scene import rest
from tests.faults.two_way import TwoWay
from tests.faults.world import Servers, World

pytestmark = pytest.mark.timeout(900)

SEED = 1
# Those that a daemon at work makes all the time: a cell of theirs takes a second.
BUSY = ("stream.GetRecords", "leases.Scan", "leases.UpdateItem", "destination.BatchWriteItem", "destination.PutItem")
EMPTY_IS_DONE = {
    "processor/replication/write_responses.py": (
        "    unprocessed_items: dict[str, list[Undone]]\n",
        "    unprocessed_items: dict[str, list[Undone]] = msgspec.field(default_factory=dict)\n",
    )
}
BELIEVES_THE_HUB = {
    "processor/replication/two_way/uplink.py": (
        "        if item is None and (last.new",
        "        if False and (last.new",
    ),
}


@pytest.fixture(scope="module")
def servers(dynamodb: DynamoDBLocal) -> Iterator[Servers]:
    """What all cells share."""
    with bucket_server() as moto:
        yield Servers(dynamodb=dynamodb.endpoint, moto=moto)


def run(cells: Sequence[Cell], servers: Servers, folder: Path) -> list[Outcome]:
    """Run them; fails with what was broken."""
    outcomes: list[Outcome] = []
    for job in jobs(cells, seed=SEED, folder=folder):
        job.run(servers, outcomes.append)
    broken = [
        f"{each.cell.name}: {'; '.join(each.wrong)}; logs: {each.logs}" for each in outcomes if each.word == FAILED
    ]
    assert broken == []
    assert len(outcomes) == len(cells)
    return outcomes


@pytest.mark.parametrize("name", BUSY)
def test_a_daemon_at_work(name: str, servers: Servers, tmp_path: Path) -> None:
    """One wrong answer, or none, in a quiet moment, in a backlog and at a shard's end: all arrives, no lease goes."""
    calls = [call for call in CALLS if call.name == name]
    cells = sample(SEED, ("steady", "backlog", "shard-end"), count=8, calls=calls)
    assert any(outcome.is_run for outcome in run(cells, servers, tmp_path))


def test_writers_on_both_sides(servers: Servers, tmp_path: Path) -> None:
    """A hub that says that it has no item, once and for some time: what is written at either side is at both.

    Of one call, for each call's cells have daemons of their own.
    """
    cells = [cell for cell in chosen("hub.GetItem:part-missing") if cell.moment in RUNNING]
    assert any(outcome.is_run for outcome in run(cells, servers, tmp_path))


def test_beginnings_and_ends(servers: Servers, tmp_path: Path) -> None:
    """A start waits for what passes, and a stop ends with 0."""
    run(sample(SEED, LIVES, count=5), servers, tmp_path)


def test_a_shard_that_changes_hands(servers: Servers, tmp_path: Path) -> None:
    """Two daemons, one of them frozen and thawed."""
    run(sample(SEED, FLEET, count=3), servers, tmp_path)


def test_a_planted_bug_is_noticed(servers: Servers, tmp_path: Path) -> None:
    """An empty answer that passes for a confirmed write loses what was written."""
    root = planted_checkout(tmp_path / "planted", EMPTY_IS_DONE)
    (cell,) = chosen(
        "BatchWriteItem:empty-object:outage"
    )  # for a while: a single answer may come too late to be believed
    with OneWay(tmp_path, servers, "plain", root=root, rest_seconds=PATIENCE_SECONDS) as world:
        _is_noticed(world, cell)


def test_a_bug_planted_in_two_way_is_noticed(servers: Servers, tmp_path: Path) -> None:
    """An answer that passes for the hub's having no item leaves the tables different."""
    root = planted_checkout(tmp_path / "planted", BELIEVES_THE_HUB)
    (cell,) = chosen("hub.GetItem:empty-object:steady")
    with TwoWay(tmp_path, servers, "two-way", root=root, rest_seconds=PATIENCE_SECONDS) as world:
        _is_noticed(world, cell)


def _is_noticed(world: World, cell: Cell) -> None:
    world.write()
    daemon = world.start(world.make())
    rest(world, [daemon])
    world.rest_seconds = 5.0
    outcome = at_work.running(world, daemon, cell, seed=SEED)
    assert outcome.word == FAILED
    assert "not equal" in outcome.wrong[0]
