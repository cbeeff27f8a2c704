"""``./run.sh verify`` of two tables that cost next to nothing to serve."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from processor.startup import java
from tests.bench.figures import Row
from tests.fakes.dynamodb.recorded_table import ELSEWHERE, OTHERWISE, RecordedTable
from tests.scenarios.conftest import Servers

ITEMS = 1_000_000
ITEM_BYTES = 300
_RUNS = 3
# Far from both tables, and with few calls at once, so that none of the processes waits for a core.
LATENCY_MS = 20.0
_FAR_ITEMS = 1_000_000
_FAR = ("--applyThreads", "1")
# The least that the medians are to be.
GOALS = {"verify, items/s": 40_000, "verify, 20 ms away, 3 processes against 1, times": 2.7}
_OTHERS = {"attributes in another order": OTHERWISE, "items in another order": ELSEWHERE}


def verify(_: Servers, __: Path) -> dict[str, list[float]]:
    """Of the whole command, with its start and all its processes; memory is the largest one's.

    Two scans in one order need few digests; if one is in another order, each item needs one.
    """
    names = ("items/s", "1 process, items/s", "µs CPU/item", "MB")
    names += tuple(f"{what}, items/s" for what in (*_OTHERS, *(f"{other}, 1 process" for other in _OTHERS)))
    names += tuple(f"20 ms away, {count} processes, items/s" for count in (1, 3))
    figures: dict[str, list[float]] = {f"verify, {name}": [] for name in names}
    figures["verify, 20 ms away, 3 processes against 1, times"] = []
    rates, alone, cpu, memory = list(figures.values())[:4]
    far_alone, far, times = list(figures.values())[-3:]
    with RecordedTable(items=ITEMS, item_bytes=ITEM_BYTES) as server:
        for _run in range(_RUNS):
            seconds, used = _verify(server, server)
            rates.append(ITEMS / seconds)
            cpu.append((used.ru_utime + used.ru_stime) / ITEMS * 1e6)
            memory.append(used.ru_maxrss / 1024)
            alone.append(ITEMS / _verify(server, server, "--verifyProcesses", "1")[0])
            for other, table in _OTHERS.items():
                seconds, _used = _verify(server, server, destination=table)
                figures[f"verify, {other}, items/s"].append(ITEMS / seconds)
                seconds, _used = _verify(server, server, "--verifyProcesses", "1", destination=table)
                figures[f"verify, {other}, 1 process, items/s"].append(ITEMS / seconds)
    with (
        RecordedTable(items=_FAR_ITEMS, item_bytes=ITEM_BYTES, latency_ms=LATENCY_MS) as one,
        RecordedTable(items=_FAR_ITEMS, item_bytes=ITEM_BYTES, latency_ms=LATENCY_MS) as another,
    ):
        for _run in range(_RUNS):
            for count, found in ((1, far_alone), (3, far)):
                seconds, _used = _verify(one, another, "--verifyProcesses", str(count), *_FAR)
                found.append(_FAR_ITEMS / seconds)
            times.append(far[-1] / far_alone[-1])
    return figures


def show(benches: dict[str, list[Row]]) -> None:
    """Whether the goals are met, if they were measured."""
    found = {row["figure"]: row["median"] for row in benches.get("verify", [])}
    if found:
        table = Table("verify, items of 300 bytes", "goal", "median", "")
        for name, least in GOALS.items():
            met = "met" if found[name] >= least else "MISSED"
            table.add_row(name, f"≥ {least:,g}", f"{found[name]:,.5g}", met)
        Console().print(table)


def _verify(
    source: RecordedTable, to: RecordedTable, *options: str, destination: str = "recorded-2"
) -> tuple[float, os.struct_rusage]:
    settings = {
        "sourceRegion": "eu-west-1",
        "sourceTable": "recorded-1",
        "sourceEndpoint": source.endpoint,
        "destinationRegion": "eu-west-1",
        "destinationTable": destination,
        "destinationEndpoint": to.endpoint,
    }
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    began = time.monotonic()
    started = subprocess.Popen([java.ROOT / "run.sh", "verify", *arguments, "--json", *options])
    _pid, status, used = os.wait4(started.pid, 0)
    seconds = time.monotonic() - began
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return seconds, used
