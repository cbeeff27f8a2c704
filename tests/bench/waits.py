"""What a user waits for, and what a daemon takes of the machine, with DynamoDB Local at both ends."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import psutil

from processor.commands.demo.workload import LagProbe
from tests.bench.figures import Figures
from tests.bench.processes import cpu_seconds, megabytes
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair, Servers

LAG_SAMPLES = 200
DRAIN_RECORDS = 100_000
_BATCH = 25
_SAMPLE_SECONDS = 0.2


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
        figures = {"JVM idle, MB": [megabytes(daemon)], "child idle, MB": [megabytes(child)]}
        figures["JVM drain, MB"], figures["child drain, MB"] = [], []
        running.stop()
        _write_many(pair)
        pair.put("last")
        running.start()
        (child,) = until(running.children, "the child")
        daemon = psutil.Process(running.process.pid)
        begun = {"JVM": cpu_seconds(daemon), "child": cpu_seconds(child)}
        while "Item" not in pair.destination.get_item(TableName=pair.destination_table, Key={"id": {"S": "last"}}):
            figures["JVM drain, MB"].append(megabytes(daemon))
            figures["child drain, MB"].append(megabytes(child))
            time.sleep(_SAMPLE_SECONDS)
        for name, process in (("JVM", daemon), ("child", child)):
            used = cpu_seconds(process) - begun[name]
            figures[f"{name} drain, CPU us a record"] = [used / DRAIN_RECORDS * 1e6]
        running.stop()
    return figures


def _write_many(pair: Pair) -> None:
    filler = {"S": "x" * 200}
    for first in range(0, DRAIN_RECORDS, _BATCH):
        requests: Any = [
            {"PutRequest": {"Item": {"id": {"S": f"drain-{number}"}, "filler": filler}}}
            for number in range(first, first + _BATCH)
        ]
        pair.source.batch_write_item(RequestItems={pair.source_table: requests})
