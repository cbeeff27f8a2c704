"""One daemon's coordinator that takes very many leases: it keeps each from the moment at which it took it."""

from __future__ import annotations

from pathlib import Path

from tests.bench.leases import measured


def test_none_is_lost_while_the_others_are_taken(tmp_path: Path) -> None:
    """All takes together last for twice the failover time: 150 takes of 40 ms, one after the other, against 3 s."""
    figures = measured(tmp_path, count=150, workers=1, failover_millis=3_000, round_trip_millis=40)
    (takes,) = figures["150 leases, one worker: takes for each lease"]
    assert takes < 1.2
