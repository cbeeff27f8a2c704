"""One stream and several destinations in one daemon: what a backlog's reads and writes come to, beside one destination.

A recorded source and a null sink, which take their share of the machine.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from tests.bench.figures import Figures
from tests.bench.task_directory import TaskDirectory
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.patience import until
from tests.fakes.streams.recorded_stream import RecordedStream
from tests.scenarios.conftest import Servers

RUNS = 3
DESTINATIONS = 5
RECORDS = 200_000
_LOOK_SECONDS = 0.1
_FIRST_SECONDS, _ALL_SECONDS = 120.0, 300.0


def replicas(servers: Servers, folder: Path) -> Figures:
    """A backlog of one shard to one destination, and to five."""
    figures: Figures = defaultdict(list)
    for _ in range(RUNS):
        for count in (1, DESTINATIONS):
            _drain(figures, servers, folder, count)
    return figures


def _drain(figures: Figures, servers: Servers, folder: Path, count: int) -> None:
    name = f"a backlog to {count}"
    total = count * RECORDS
    with ExitStack() as stack, TaskDirectory(servers, folder) as directory:
        source = stack.enter_context(RecordedStream(records=RECORDS))
        sink = stack.enter_context(NullSink())
        for number in range(count):
            directory.add(f"task-{number}", {**source.settings, **sink.settings})
        directory.start()
        began = until(lambda: sink.counts().get("items") and time.monotonic(), "a first record", seconds=_FIRST_SECONDS)
        megabytes: list[float] = []

        def is_done() -> bool:
            megabytes.append(directory.jvm_memory())
            return sink.counts().get("items", 0) >= total

        until(is_done, "the last record", seconds=_ALL_SECONDS, pause_seconds=_LOOK_SECONDS)
        counts = source.counts()
        seconds = sink.counts()["last_ns"] / 1e9 - began
        figures[f"{name}: records/s in all, from the first write to the last"].append(total / seconds)
        figures[f"{name}: records that the stream gave, of each that it has"].append(counts["records"] / RECORDS)
        used = directory.tree.cpu().total()
        figures[f"{name}: CPU of the daemon, start included, µs/record written"].append(used / total * 1e6)
        figures[f"{name}: JVM, MB"].append(max(megabytes))
        figures[f"{name}: threads of JVM"].append(directory.threads())
