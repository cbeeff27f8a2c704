"""Measure the real daemon with DynamoDB Local at both ends, and print medians with their spread.

start     command → first record at the destination: first start, after SIGTERM, after kill -9 (5 of each)
lag       source write → readable at the destination, one write each 0.3 to 0.8 s at random, nothing else written
copy      a million items between tables that answer at once; how well a limit of units is held
scale     eight shards, 1 to 2 to 4 daemons: until leases are even; a stop; a shard that rolls over (source simulated)
failover  kill -9 of one of three daemons, ten times: until others write its shards
memory    resident memory of the JVM and the child, idle and at the end of a drain; CPU of the drain without the start
status    ./run.sh status on 500 shards (source simulated)
calls     calls a second of one daemon to stream, checkpoint table and destination, idle and written (source simulated)
verify    ./run.sh verify of two equal tables of 1,000,000 items of 300 bytes, served by a recording (3 runs)

Seconds are of the wall: each is dominated by waiting, and DynamoDB Local shares the machine. Memory is the OS's.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from processor.dynamodb_local import DynamoDBLocal
from processor.workload import LagProbe
from tests.bench.calls import calls
from tests.bench.copy import copy
from tests.bench.fleet import failover, scale
from tests.bench.status import status
from tests.bench.verify import verify
from tests.fakes.replicator import Replicator, until
from tests.scenarios.conftest import Pair, Servers

Figures = dict[str, list[float]]
REPEATS = 5
LAG_SAMPLES = 200
DRAIN_RECORDS = 100_000
_BATCH = 25
_SAMPLE_SECONDS = 0.2


def start(servers: Servers, folder: Path) -> Figures:
    """Seconds from the command to the first record, all set up."""
    figures: Figures = {"first start, s": [], "after SIGTERM, s": [], "after kill -9, s": []}
    for _ in range(REPEATS):
        pair = Pair(servers)
        with Replicator(folder / uuid.uuid4().hex, pair.settings) as running:
            figures["first start, s"].append(_to_record(pair))
            pair.wait_checkpoint()
            for name, number in (("after SIGTERM, s", signal.SIGTERM), ("after kill -9, s", signal.SIGKILL)):
                running.stop(number)
                running.start()
                figures[name].append(_to_record(pair))
                time.sleep(2)  # until the batch is checkpointed and the leases are renewed
            running.stop()
    return figures


def _to_record(pair: Pair) -> float:
    began = time.monotonic()
    key = uuid.uuid4().hex
    pair.put(key)
    pair.wait_for(key)
    return time.monotonic() - began


def lag(servers: Servers, folder: Path) -> Figures:
    """Seconds of each probe."""
    pair = Pair(servers)
    with Replicator(folder / "lag", pair.settings) as running:
        _to_record(pair)
        probe = LagProbe(pair.source, pair.source_table, pair.destination, pair.destination_table)
        probe.start()
        until(lambda: len(probe.samples_seconds()) >= LAG_SAMPLES, "the samples", seconds=LAG_SAMPLES * 2)
        probe.stop()
        running.stop()
    return {"lag, s": probe.samples_seconds()}


def memory(servers: Servers, folder: Path) -> Figures:
    """Megabytes resident."""
    pair = Pair(servers)
    with Replicator(folder / "memory", pair.settings) as running:
        _to_record(pair)
        time.sleep(10)
        (child,) = running.children()
        daemon = psutil.Process(running.process.pid)
        figures = {"JVM idle, MB": [_megabytes(daemon)], "child idle, MB": [_megabytes(child)]}
        figures["JVM drain, MB"], figures["child drain, MB"] = [], []
        running.stop()
        _write_many(pair)
        pair.put("last")
        running.start()
        (child,) = until(running.children, "the child")
        daemon = psutil.Process(running.process.pid)
        begun = {"JVM": _cpu_seconds(daemon), "child": _cpu_seconds(child)}
        while "Item" not in pair.destination.get_item(TableName=pair.destination_table, Key={"id": {"S": "last"}}):
            figures["JVM drain, MB"].append(_megabytes(daemon))
            figures["child drain, MB"].append(_megabytes(child))
            time.sleep(_SAMPLE_SECONDS)
        for name, process in (("JVM", daemon), ("child", child)):
            used = _cpu_seconds(process) - begun[name]
            figures[f"{name} drain, CPU us a record"] = [used / DRAIN_RECORDS * 1e6]
        running.stop()
    return figures


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 2**20


def _write_many(pair: Pair) -> None:
    filler = {"S": "x" * 200}
    for first in range(0, DRAIN_RECORDS, _BATCH):
        requests: Any = [
            {"PutRequest": {"Item": {"id": {"S": f"drain-{number}"}, "filler": filler}}}
            for number in range(first, first + _BATCH)
        ]
        pair.source.batch_write_item(RequestItems={pair.source_table: requests})


BENCHES: dict[str, Callable[[Servers, Path], Figures]] = {
    "start": start,
    "lag": lag,
    "copy": copy,
    "scale": scale,
    "failover": failover,
    "memory": memory,
    "status": status,
    "calls": calls,
    "verify": verify,
}


def report(figures: Figures) -> list[dict[str, float | str]]:
    """One row for each figure."""
    rows: list[dict[str, float | str]] = []
    for name, values in figures.items():
        cuts = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else values * 19
        numbers = {"n": len(values), "min": min(values), "median": cuts[9], "p95": cuts[18], "max": max(values)}
        rows.append({"figure": name, **{key: round(number, 3) for key, number in numbers.items()}})
    return rows


def main() -> None:
    """Run the named benches, or all."""
    parser = argparse.ArgumentParser(prog="./test.sh bench", description=__doc__, add_help=True)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="all, where none is named")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    given = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")
    rows = []
    with (
        tempfile.TemporaryDirectory() as temporary,
        DynamoDBLocal(log=Path(temporary) / "source.log") as source,
        DynamoDBLocal(log=Path(temporary) / "destination.log") as destination,
    ):
        for name in given.names or BENCHES:
            rows += report(BENCHES[name](Servers(source.endpoint, destination.endpoint), Path(temporary)))
    table = Table("figure", "n", "min", "median", "p95", "max")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
