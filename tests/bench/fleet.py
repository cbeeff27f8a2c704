"""Figures of a fleet: eight simulated shards, each written ten times a second, daemons with default settings."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.fakes.daemon.fleet import Beats, Fleet
from tests.fakes.patience import until
from tests.scenarios.conftest import Servers

Figures = dict[str, list[float]]
FAILOVERS = 10
CHILDREN = 10
_PATIENCE_SECONDS = 120.0


def _fleet(servers: Servers, folder: Path) -> Fleet:
    return Fleet(folder, checkpoints=servers.source, destination=servers.destination)


def scale(servers: Servers, folder: Path) -> Figures:
    """Seconds from starting or stopping daemons until the leases are even, or the shards are written again."""
    figures: Figures = {
        f"{name}, s": []
        for name in (
            "1 to 2 daemons: command to even leases",
            "2 to 4 daemons: command to even leases",
            "a shard that moves: unwritten for",
            "SIGTERM of one of 4: its shards written again",
            "parent's end to child's first record",
        )
    }
    even_2, even_4, moving, stopped, child = figures.values()
    with _fleet(servers, folder) as fleet, Beats(fleet) as beats:
        fleet.start()
        fleet.wait_even(1)
        beats.wait_replicated(beats.keys.values(), since=time.monotonic())
        for daemons, into in ((2, even_2), (4, even_4)):
            began = time.monotonic()
            while len(fleet.daemons) < daemons:
                fleet.start()
            fleet.wait_even(daemons, seconds=_PATIENCE_SECONDS)
            into.append(time.monotonic() - began)
            moving.append(beats.wait_replicated(beats.keys.values(), since=time.monotonic()))
        for _ in range(CHILDREN):
            parent = next(shard for shard in fleet.simulator.open_shards() if shard.id in beats.keys)
            key = beats.keys.pop(parent.id)
            began = time.monotonic()
            beats.keys[fleet.simulator.roll_over(parent.id).id] = key
            child.append(beats.wait_replicated([key], since=began))
        leaver = fleet.daemons[-1]
        mine = [beats.keys[shard] for shard in fleet.shards_of(leaver)]
        began = time.monotonic()
        leaver.process.send_signal(signal.SIGTERM)
        stopped.append(beats.wait_replicated(mine, since=began))
        leaver.wait()
    return figures


def failover(servers: Servers, folder: Path) -> Figures:
    """Seconds from ``kill -9`` of a daemon until all its shards are written again, each of three in its turn."""
    seconds: list[float] = []
    with _fleet(servers, folder) as fleet, Beats(fleet) as beats:
        for _ in range(3):
            fleet.start()
        fleet.wait_even(3, seconds=_PATIENCE_SECONDS)
        for number in range(FAILOVERS):
            beats.wait_replicated(beats.keys.values(), since=time.monotonic())
            victim = fleet.daemons[number % 3]
            mine = [beats.keys[shard] for shard in until(lambda: fleet.shards_of(victim), "the victim's shards")]  # noqa: B023
            began = time.monotonic()
            victim.process.kill()
            victim.wait()
            seconds.append(beats.wait_replicated(mine, since=began))
            victim.start()
            fleet.wait_even(3, seconds=_PATIENCE_SECONDS)
    return {"kill -9: its shards written again, s": seconds}
