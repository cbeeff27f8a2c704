"""``./run.sh verify`` of two tables that cost next to nothing to serve."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from processor.startup import java
from tests.fakes.dynamodb.recorded_table import RecordedTable
from tests.scenarios.conftest import Servers

ITEMS = 1_000_000
ITEM_BYTES = 300
_RUNS = 3


def verify(_: Servers, __: Path) -> dict[str, list[float]]:
    """Of the whole command, with its start; CPU and memory are its own, without the server's."""
    figures: dict[str, list[float]] = {"verify, items/s": [], "verify, µs CPU/item": [], "verify, MB": []}
    with RecordedTable(items=ITEMS, item_bytes=ITEM_BYTES) as server:
        settings = {
            "sourceRegion": "eu-west-1",
            "sourceTable": "recorded-1",
            "sourceEndpoint": server.endpoint,
            "destinationRegion": "eu-west-1",
            "destinationTable": "recorded-2",
            "destinationEndpoint": server.endpoint,
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        for _run in range(_RUNS):
            began = time.monotonic()
            started = subprocess.Popen([java.ROOT / "run.sh", "verify", *arguments, "--json"])
            _pid, status, used = os.wait4(started.pid, 0)
            started.returncode = os.waitstatus_to_exitcode(status)
            assert started.returncode == 0
            figures["verify, items/s"].append(ITEMS / (time.monotonic() - began))
            figures["verify, µs CPU/item"].append((used.ru_utime + used.ru_stime) / ITEMS * 1e6)
            figures["verify, MB"].append(used.ru_maxrss / 1024)
    return figures
