"""The lease layer of a fleet at size, in one JVM over tables in memory: 500 leases and 16 daemons; 60 tasks and three.

Sixteen whole daemons want more than one machine has. How leases are spread and taken over is decided by their
coordinators alone, and these are the daemon's own. Their tables hold to the conditions of KCL's calls, and
answer after some milliseconds.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path

from processor.startup import java
from tests.bench.figures import Figures
from tests.scenarios.conftest import Servers

_SOURCE = Path(__file__).parent / "FleetLeases.java"
_TIMEOUT_SECONDS = 540.0


def leases(_: Servers, folder: Path) -> Figures:
    """Seconds until leases are even, and until a dead daemon's are held again; calls of the whole fleet at rest."""
    figures = measured(folder, count=500, workers=16, failover_millis=5_000, round_trip_millis=5)
    many = measured(
        folder, count=60, workers=3, failover_millis=5_000, round_trip_millis=5, streams=12, comes_back=True
    )
    return figures | many


def measured(
    folder: Path,
    *,
    count: int,
    workers: int,
    failover_millis: int,
    round_trip_millis: int,
    streams: int | None = None,
    comes_back: bool = False,
) -> Figures:
    """The figures that ``FleetLeases.java`` prints.

    :param streams: of how many streams each lease is that of a task of its own, and a worker is a daemon of all tasks
    :param comes_back: whether the daemon of many tasks that died does
    """
    many = [] if streams is None else [streams, *(["comes-back"] if comes_back else [])]
    asked = map(str, (count, workers, failover_millis, round_trip_millis, *many))
    silent = folder / "silent.xml"
    silent.write_text("<configuration/>")  # without a file logback prints all that KCL says among the figures
    options = ("-XX:+UseSerialGC", f"-Dterms={folder}", f"-Dlogback.configurationFile={silent}")
    done = subprocess.run(
        [java.executable(), *options, "-cp", java.class_path(), _SOURCE, *asked],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
    )
    *lines, last = done.stdout.splitlines() or [""]
    assert last == "end", f"{last or 'it said nothing'}\n{done.stderr[-3000:]}"
    figures: Figures = defaultdict(list)
    for line in lines:
        kind, *figure = line.split("\t")
        if kind == "figure":
            name, value = figure
            figures[f"{count} {'leases' if streams is None else 'tasks'}, {name}"].append(float(value))
    return figures
