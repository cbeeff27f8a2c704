"""Which daemons are alive, by their leases' counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws

from processor.state import leases, liveness
from processor.state.leases import SHARD_END
from processor.state.liveness import Daemon, Look
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.task import tasks

FAILOVER_SECONDS = 6.0


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def look(table: LeaseTable, *, meanwhile: Callable[[int], None] = lambda _: None) -> tuple[Look, float]:
    """What is seen, and after how many seconds; ``meanwhile`` is told of each wait's number."""
    now = [0.0]
    waits: list[float] = []

    def wait(seconds: float) -> None:
        now[0] += seconds
        waits.append(seconds)
        meanwhile(len(waits))

    found = leases.read(table.client, table.name) or []
    seen = liveness.look(
        table.client, table.name, found, failover_seconds=FAILOVER_SECONDS, clock=lambda: now[0], wait=wait
    )
    return seen, now[0]


def test_who_renews_is_alive() -> None:
    """As soon as each owner's leases have moved, it is known; the others have all of a lease's time."""
    table = LeaseTable(tasks.task(), {"a": "w-1", "b": "w-1", "c": "w-2", "d": None})
    seen, seconds = look(table, meanwhile=lambda number: table.renew("w-1") if number == 5 else None)
    assert [
        Daemon(owner="w-1", shards=2, alive=True),
        Daemon(owner="w-2", shards=1, alive=False),
    ] == seen.daemons
    assert not seen.handed_over
    assert pytest.approx(seconds, abs=0.2) == FAILOVER_SECONDS


def test_a_healthy_task_is_known_at_once() -> None:
    """Nothing is waited for once all owners have renewed."""
    owners = {f"shard-{number}": f"w-{number % 120}" for number in range(240)}
    table = LeaseTable(tasks.task(), owners)

    def renew(number: int) -> None:
        if number == 1:
            for owner in set(owners.values()):
                table.renew(owner)

    seen, seconds = look(table, meanwhile=renew)
    assert len(seen.daemons) == 120
    assert all(daemon.alive for daemon in seen.daemons)
    assert seconds < 0.5


def test_leases_that_nobody_has_or_that_are_finished_tell_nothing() -> None:
    """A stopped task has no daemons, and there is nothing to wait for."""
    checkpoints = {"a": SHARD_END}
    table = LeaseTable(tasks.task(), {"a": "w-1", "b": None}, checkpoints=checkpoints)
    assert (Look(daemons=[], handed_over=False), 0.0) == look(table)


def test_a_lease_that_is_handed_over_meanwhile() -> None:
    """Its last owner is judged by its other leases, and those read before are known to be out of date."""
    table = LeaseTable(tasks.task(), {"a": "w-1", "b": "w-1", "c": "w-2"})

    def change(number: int) -> None:
        if number == 1:
            table.take("a", "w-2")
            table.take("b", "w-2")
        table.renew("w-2")

    seen, seconds = look(table, meanwhile=change)
    assert [Daemon(owner="w-2", shards=1, alive=True)] == seen.daemons
    assert seen.handed_over
    assert seconds < 1


def test_one_lease_whose_row_is_slow() -> None:
    """Leases are renewed each by itself, so any one of a daemon's that moves shows that it lives."""
    table = LeaseTable(tasks.task(), {"a": "w-1", "b": "w-1", "c": "w-1"})

    def change(number: int) -> None:
        if number == 1:
            table.renew("w-1")
            table.client.update_item(
                TableName=table.name,
                Key={"leaseKey": {"S": "a"}},
                UpdateExpression="SET leaseCounter = :slow",
                ExpressionAttributeValues={":slow": {"N": "1"}},
            )

    seen, seconds = look(table, meanwhile=change)
    assert [Daemon(owner="w-1", shards=3, alive=True)] == seen.daemons
    assert seconds < 1
