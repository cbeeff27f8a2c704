"""Who is alive, by what counters did between two looks: without a wait, and within the time for which a lease lasts."""

from __future__ import annotations

from processor.state.leases import SHARD_END, Lease
from processor.state.liveness import Daemon
from processor.state.renewals import Renewals

FAILOVER = 5.0


class Task:
    """Leases of two daemons, a clock, and what is seen."""

    def __init__(self) -> None:
        self.now = 100.0
        self.leases = {"a": ("w-1", 1), "b": ("w-1", 1), "c": ("w-2", 1)}
        self.renewals = Renewals(failover_seconds=FAILOVER, clock=lambda: self.now)
        self.renewals.learn([Daemon(owner=owner, shards=1, alive=True) for owner in ("w-1", "w-2")], self.read())

    def read(self) -> list[Lease]:
        """The table."""
        return [
            Lease(shard_id=shard, owner=owner, counter=counter, checkpoint="1")
            for shard, (owner, counter) in self.leases.items()
        ]

    def after(self, seconds: float, *renewed: str) -> list[str]:
        """Who is alive so much later, when these leases have been renewed."""
        self.now += seconds
        for shard in renewed:
            owner, counter = self.leases[shard]
            self.leases[shard] = (owner, counter + 1)
        return [each.owner for each in self.renewals.see(self.read()) if each.alive]


def test_who_does_not_renew_is_dead_when_its_leases_have_ended() -> None:
    """Looks every two seconds tell it within eight of the last renewal, whenever that was."""
    task = Task()
    assert task.after(2, "a", "b", "c") == ["w-1", "w-2"]
    assert task.after(2, "c") == ["w-1", "w-2"]
    assert task.after(2, "c") == ["w-1", "w-2"]
    assert task.after(2, "c") == ["w-2"]  # six seconds after the look that saw its last renewal
    assert task.after(2, "a", "c") == ["w-1", "w-2"]


def test_a_single_lease_that_moves_is_enough() -> None:
    """One may be slow while the others are renewed."""
    task = Task()
    assert [task.after(2, "a", "c") for _ in range(5)] == [["w-1", "w-2"]] * 5


def test_looks_that_come_late_judge_nobody_by_their_own_delay() -> None:
    """What has moved in between is alive, however long that was."""
    task = Task()
    assert task.after(60, "b", "c") == ["w-1", "w-2"]


def test_a_lease_that_was_taken_shows_who_took_it() -> None:
    """An owner that was never seen before lives; one without a lease is not named."""
    task = Task()
    task.leases |= {"a": ("w-3", 2), "b": ("w-3", 2)}
    assert task.after(2, "c") == ["w-2", "w-3"]
    assert [each.shards for each in task.renewals.see(task.read())] == [1, 2]


def test_finished_shards_are_renewed_by_nobody() -> None:
    """Nor is one without an owner, so neither says anything of anybody."""
    renewals = Renewals(failover_seconds=FAILOVER)
    rows = [
        Lease(shard_id="a", owner="w-1", counter=1, checkpoint=SHARD_END),
        Lease(shard_id="b", owner=None, counter=1, checkpoint="5"),
    ]
    renewals.learn([], rows)
    assert (renewals.see(rows), renewals.known) == ([], False)
