"""Calls a second that one daemon makes, by what is asked of whom, and its CPU: idle, and written ten times a second."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import psutil

from tests.bench.processes import cpu_seconds
from tests.fakes.daemon.fleet import Beats, Fleet
from tests.fakes.network.fault_proxy import FaultProxy
from tests.scenarios.conftest import Servers

Figures = dict[str, list[float]]
# Shards, and the reads' idle time in ms: ours, and one that costs less.
RUNS = ((1, 125), (8, 125), (8, 1000))
SECONDS = 60
_SETTLE_SECONDS = 15


def calls(servers: Servers, folder: Path) -> Figures:
    """Of one and of eight shards, to tell a shard's share from the daemon's; each figure is a minute's mean."""
    figures: Figures = {}
    for shards, idle_ms in RUNS:
        with FaultProxy(servers.source) as checkpoints:
            fleet = Fleet(
                folder,
                checkpoints=checkpoints.endpoint,
                destination=servers.destination,
                shards=shards,
                settings={"idleTimeBetweenReadsInMillis": str(idle_ms)},
            )
            title = f"{shards} shards, {idle_ms} ms"
            servers_of = {"stream": fleet.simulator, "checkpoints": checkpoints, "destination": fleet.proxy}

            def minute(name: str) -> None:
                parts = {"JVM": [psutil.Process(daemon.process.pid)]}  # noqa: B023
                parts["children"] = [child for process in parts["JVM"] for child in process.children(recursive=True)]
                used = {part: sum(map(cpu_seconds, processes)) for part, processes in parts.items()}
                before = {role: Counter(server.received) for role, server in servers_of.items()}  # noqa: B023
                time.sleep(SECONDS)
                for part, processes in parts.items():
                    percent = (sum(map(cpu_seconds, processes)) - used[part]) / SECONDS * 100
                    figures[f"{title}, {name}: CPU of {part}, % of a core"] = [percent]  # noqa: B023
                for role, server in servers_of.items():  # noqa: B023
                    for operation, count in sorted((server.received - before[role]).items()):
                        figures[f"{title}, {name}: {role} {operation}, 1/s"] = [count / SECONDS]  # noqa: B023

            with fleet:
                daemon = fleet.start()
                fleet.wait_even(1)
                time.sleep(_SETTLE_SECONDS)
                minute("idle")
                with Beats(fleet):
                    time.sleep(_SETTLE_SECONDS)
                    minute("written")
    return figures
