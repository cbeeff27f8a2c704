"""``./run.sh verify`` of two tables that cost next to nothing to serve."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from pathlib import Path

from rich.console import Console
from rich.table import Table

from processor.aws.clients import Clients
from processor.startup import java
from processor.state import pass_rows
from tests.bench.figures import Row
from tests.fakes.dynamodb.recorded_table import ELSEWHERE, OTHERWISE, RecordedTable
from tests.fakes.patience import until
from tests.fakes.task.tasks import task
from tests.scenarios.conftest import Servers

ITEMS = 1_000_000
ITEM_BYTES = 300
_RUNS = 3
# Far from both tables, and with few calls at once, so that none of the processes waits for a core.
LATENCY_MS = 20.0
_FAR_ITEMS = 1_000_000
_FAR = ("--applyThreads", "1")
# The least that the medians are to be.
GOALS = {
    "verify, items/s": 40_000,
    "verify, 20 ms away, 3 processes against 1, times": 2.7,
    "verify, 20 ms away, 3 machines against 1, times": 2.7,
}
# What a machine does of a shared verification is measured from when all have joined.
_SHARED = ("--shared", "--verifyProcesses", "1", *_FAR)
_OTHERS = {"attributes in another order": OTHERWISE, "items in another order": ELSEWHERE}


def verify(servers: Servers, __: Path) -> dict[str, list[float]]:
    """Of the whole command, with its start and all its processes; memory is the largest one's.

    Two scans in one order need few digests; if one is in another order, each item needs one.
    """
    names = ("items/s", "1 process, items/s", "µs CPU/item", "MB")
    names += tuple(f"{what}, items/s" for what in (*_OTHERS, *(f"{other}, 1 process" for other in _OTHERS)))
    names += tuple(f"20 ms away, {count} processes, items/s" for count in (1, 3))
    figures: dict[str, list[float]] = {f"verify, {name}": [] for name in names}
    figures["verify, 20 ms away, 3 processes against 1, times"] = []
    machines: dict[int, list[float]] = {1: [], 3: []}
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
            for count, found in machines.items():
                found.append(_by_machines(servers, one, another, count))
    for count, found in machines.items():
        figures[f"verify, 20 ms away, {count} machines, items/s"] = found
    compared = [three / one for one, three in zip(machines[1], machines[3], strict=True)]
    figures["verify, 20 ms away, 3 machines against 1, times"] = compared
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


def _by_machines(servers: Servers, source: RecordedTable, to: RecordedTable, count: int) -> float:
    """Items a second of each table, by as many commands as there would be machines, once all have joined."""
    settings = _settings(source, to) | {"kclEndpoint": servers.source, "taskName": uuid.uuid4().hex}
    made = task(**settings)
    clients = Clients(made)

    def members() -> int:
        found = pass_rows.read(clients.checkpoints(), made.task_table)
        return 0 if found is None else len(found.members or {})

    started = [_start(settings, *_SHARED) for _ in range(count)]
    until(lambda: members() == 2 * count, "all machines")  # of each the process that waits, too
    before, began = source.counts().get("items", 0), time.monotonic()
    for each in started:
        assert each.wait() == 0
    return (source.counts()["items"] - before) / (time.monotonic() - began)


def _settings(source: RecordedTable, to: RecordedTable, destination: str = "recorded-2") -> dict[str, str]:
    return {
        "sourceRegion": "eu-west-1",
        "sourceTable": "recorded-1",
        "sourceEndpoint": source.endpoint,
        "destinationRegion": "eu-west-1",
        "destinationTable": destination,
        "destinationEndpoint": to.endpoint,
    }


def _start(settings: dict[str, str], *options: str) -> subprocess.Popen[bytes]:
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return subprocess.Popen([java.ROOT / "run.sh", "verify", *arguments, "--json", *options])


def _verify(
    source: RecordedTable, to: RecordedTable, *options: str, destination: str = "recorded-2"
) -> tuple[float, os.struct_rusage]:
    began = time.monotonic()
    started = _start(_settings(source, to, destination), *options)
    _pid, status, used = os.wait4(started.pid, 0)
    seconds = time.monotonic() - began
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return seconds, used
