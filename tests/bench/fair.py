"""Several tasks in one daemon, of which one drains a backlog or has a bad destination: what the others notice of it.

The others have live streams and a sink of their own; the busy one a recorded source. All share the machine.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import writes
from tests.bench.figures import Figures
from tests.bench.many import LiveTasks
from tests.bench.task_directory import TaskDirectory
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.patience import until
from tests.fakes.streams.recorded_stream import RecordedStream
from tests.scenarios.conftest import Servers

OTHERS = 8
_WRITE_SECONDS = 0.5
_WARM_SECONDS, _SECONDS = 10.0, 20.0
_LOOK_SECONDS = 0.5
_START_SECONDS = 120.0
_BACKLOG = 10**8  # more than is drained while it is looked at
# What the destination of the busy task is like.
BUSY: Mapping[str, Mapping[str, Any]] = {
    "one drains a backlog": {},
    "one's destination throttles half of its calls": {"throttled": 0.5},
    "one's destination answers after 1 s": {"latency_ms": 1_000},
    "one's destination doesn't answer": {"unanswered": 1.0},
}


def fair(servers: Servers, folder: Path) -> Figures:
    """The others' lag without a busy task, and beside each kind of one; threads and memory; what the busy one does."""
    figures: Figures = defaultdict(list)
    with ExitStack() as stack, TaskDirectory(servers, folder) as directory:
        others = LiveTasks(stack, directory)
        for _ in range(OTHERS):
            others.add()
        source = stack.enter_context(RecordedStream(records=_BACKLOG))
        directory.start()
        for stream in others.streams:
            others.until_read(stream)
        with writes.written(others.streams, seconds=_WRITE_SECONDS):
            time.sleep(_WARM_SECONDS)
            _look(figures, f"{OTHERS} tasks", others, directory)
            for number, (name, sink) in enumerate(BUSY.items()):
                with NullSink(**sink) as destination:
                    directory.add(f"busy-{number}", {**source.settings, **destination.settings})
                    _until_written(destination)
                    time.sleep(_WARM_SECONDS)
                    before, began = destination.counts().get("items", 0), time.monotonic()
                    _look(figures, f"{OTHERS} tasks, {name}", others, directory)
                    rate = (destination.counts().get("items", 0) - before) / (time.monotonic() - began)
                    figures[f"{OTHERS} tasks, {name}: its records/s"] = [rate]
                    directory.remove(f"busy-{number}")
                    _until_ended(directory, f"busy-{number}")
    return figures


def _until_written(destination: NullSink) -> None:
    """Whatever it answers, if it does."""
    until(
        lambda: destination.counts().keys() & {"items", "throttled", "unanswered"},
        "the busy task's first write",
        seconds=_START_SECONDS,
    )


def _until_ended(directory: TaskDirectory, name: str) -> None:
    until(lambda: f"task_removed task={name} " in directory.console, f"{name} is ended", seconds=_START_SECONDS)


def _look(figures: Figures, name: str, others: LiveTasks, directory: TaskDirectory) -> None:
    others.take_lags()
    cpu, began = directory.tree.cpu().total(), time.monotonic()
    until_at = began + _SECONDS
    threads, memory = [], []
    while time.monotonic() < until_at:
        threads.append(directory.threads())
        memory.append(directory.jvm_memory())
        time.sleep(_LOOK_SECONDS)
    figures[f"{name}: the others' lag, s"] = others.take_lags()
    figures[f"{name}: CPU, % of a core"] = [(directory.tree.cpu().total() - cpu) / (time.monotonic() - began) * 100]
    figures[f"{name}: threads of JVM"] = [max(threads)]
    figures[f"{name}: JVM, MB"] = [max(memory)]
