"""``./run.sh copy`` between tables that cost next to nothing to serve; its progress is kept on DynamoDB Local."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from pathlib import Path

from processor.startup import java
from tests.fakes.dynamodb.recorded_table import RecordedTable
from tests.scenarios.conftest import Servers

ITEMS = 1_000_000
ITEM_BYTES = 300
LIMIT_UNITS = 2_000
_LIMITED_ITEMS = 60_000
_RUNS = 3
# Far from both tables, and with few calls at once, so that none of the processes waits for a core.
LATENCY_MS = 20.0
_FAR_ITEMS = 200_000
_FAR = ("--applyThreads", "2", "--copySegments", "60")


def copy(servers: Servers, _: Path) -> dict[str, list[float]]:
    """Of the whole command, with its start and all its processes; memory is the largest one's.

    Of the limited one, and of those far away, from their reports.
    """
    names = ("items/s", "1 process, items/s", "µs CPU/item", "MB", f"write units/s of {LIMIT_UNITS}")
    more = ("beside a replication, items/s", *(f"20 ms away, {count} processes, items/s" for count in (1, 3)))
    figures: dict[str, list[float]] = {f"copy, {name}": [] for name in (*names, *more)}
    figures["copy, 20 ms away, 3 processes against 1, times"] = []
    rates, alone, cpu, memory, limited, beside, far_alone, far, times = figures.values()
    with RecordedTable(items=ITEMS, item_bytes=ITEM_BYTES) as source, RecordedTable(items=0) as sink:
        for _run in range(_RUNS):
            seconds, used, _report = _copy(servers, source, sink)
            rates.append(ITEMS / seconds)
            cpu.append((used.ru_utime + used.ru_stime) / ITEMS * 1e6)
            memory.append(used.ru_maxrss / 1024)
            seconds, _used, _report = _copy(servers, source, sink, "--copyProcesses", "1")
            alone.append(ITEMS / seconds)
    with RecordedTable(items=_LIMITED_ITEMS, item_bytes=ITEM_BYTES) as source, RecordedTable(items=0) as sink:
        for _run in range(_RUNS):
            _seconds, _used, report = _copy(servers, source, sink, "--copyWriteUnits", str(LIMIT_UNITS))
            limited.append(report["writeUnits"] / report["seconds"])
            seconds, _used, _report = _copy(servers, source, sink, "--concurrent")
            beside.append(_LIMITED_ITEMS / seconds)
    with (
        RecordedTable(items=_FAR_ITEMS, item_bytes=ITEM_BYTES, latency_ms=LATENCY_MS) as source,
        RecordedTable(items=0, latency_ms=LATENCY_MS) as sink,
    ):
        for _run in range(_RUNS):
            for count, found in ((1, far_alone), (3, far)):
                _seconds, _used, report = _copy(servers, source, sink, "--copyProcesses", str(count), *_FAR)
                found.append(_FAR_ITEMS / report["seconds"])
            times.append(far[-1] / far_alone[-1])
    return figures


def _copy(
    servers: Servers, source: RecordedTable, sink: RecordedTable, *options: str
) -> tuple[float, os.struct_rusage, dict[str, float]]:
    settings = {
        "sourceRegion": "eu-west-1",
        "sourceTable": "recorded",
        "sourceEndpoint": source.endpoint,
        "destinationRegion": "eu-west-1",
        "destinationTable": "sink",
        "destinationEndpoint": sink.endpoint,
        "kclEndpoint": servers.source,
        "taskName": uuid.uuid4().hex,
    }
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    began = time.monotonic()
    started = subprocess.Popen(
        [java.ROOT / "run.sh", "copy", *arguments, "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert started.stdout is not None
    output = started.stdout.read()
    _pid, status, used = os.wait4(started.pid, 0)
    seconds = time.monotonic() - began
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0, output
    return seconds, used, json.loads(output.splitlines()[-1])
