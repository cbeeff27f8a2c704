"""Coordinators in one JVM: of one daemon that takes very many leases, and of daemons that have many tasks."""

from __future__ import annotations

from pathlib import Path

from tests.bench.leases import measured


def test_none_is_lost_while_the_others_are_taken(tmp_path: Path) -> None:
    """All takes together last for twice the failover time: 150 takes of 40 ms, one after the other, against 3 s."""
    figures = measured(tmp_path, count=150, workers=1, failover_millis=3_000, round_trip_millis=40)
    (takes,) = figures["150 leases, one worker: takes for each lease"]
    assert takes < 1.2


def test_daemons_of_many_tasks_share_them(tmp_path: Path) -> None:
    """Evenly, and all tasks of a stream to one; also after one died. Two never write one shard.

    The program itself waits for that, and ends with what it missed.
    """
    figures = measured(tmp_path, count=18, workers=3, failover_millis=1_500, round_trip_millis=5, streams=6)
    for when, daemons in (("spread", 3), ("after the death", 2)):
        (least,) = figures[f"18 tasks, {when}: the least of one daemon"]
        (most,) = figures[f"18 tasks, {when}: the most of one daemon"]
        assert 0.75 * 18 / daemons <= least <= most <= 1.25 * 18 / daemons
