"""What a daemon of many tasks costs: fifty tasks of one shard each, quiet and written, and one more beside them.

Each task has a stream of its own (``LiveStream``, a process); all write to one sink. CPU and memory are those of the
daemon's whole process tree.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from tests.bench import writes
from tests.bench.figures import Figures
from tests.bench.task_directory import TaskDirectory
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.patience import until
from tests.fakes.streams.live_stream import LiveStream
from tests.scenarios.conftest import Servers

TASKS = 50
_START_SECONDS = 600.0
_WARM_SECONDS = 60.0
_WINDOWS, _WINDOW_SECONDS = 4, 15.0
_WRITTEN_SECONDS = 60.0
_WRITE_SECONDS = 1.0
_MORE_TASKS = 3


class LiveTasks:
    """Tasks of one shard each in one daemon, which write to one sink."""

    def __init__(self, stack: ExitStack, directory: TaskDirectory) -> None:
        self._stack = stack
        self._directory = directory
        self._sink = stack.enter_context(NullSink())
        self.streams: list[LiveStream] = []
        self.take_lags = self._sink.take_lags

    def add(self) -> LiveStream:
        """One more."""
        stream = self._stack.enter_context(LiveStream(shards=1))
        self._directory.add(f"task-{len(self.streams):03d}", {**stream.settings, **self._sink.settings})
        self.streams.append(stream)
        return stream

    def until_read(self, stream: LiveStream) -> None:
        """Until its one shard is read."""
        until(
            lambda: stream.counts().get("shards_read", 0),
            f"a task's shard is read; {self._directory.folder} has the logs",
            seconds=_START_SECONDS,
            pause_seconds=0.05,
        )


def many(servers: Servers, folder: Path) -> Figures:
    """Start, memory, CPU of fifty quiet tasks; CPU and lag where each is written once a second; one task more."""
    figures: Figures = defaultdict(list)
    name = f"{TASKS} tasks"
    with ExitStack() as stack, TaskDirectory(servers, folder) as directory:
        tasks = LiveTasks(stack, directory)
        for _ in range(TASKS):
            tasks.add()
        began = time.monotonic()
        directory.start()
        for stream in tasks.streams:
            tasks.until_read(stream)
        figures[f"{name}: command to all of them read, s"] = [time.monotonic() - began]
        used = directory.cpu_of_parts()
        figures[f"{name}: CPU until then, s"] = [sum(used.values())]
        for part, seconds in used.items():
            figures[f"{name}: CPU until then of {part}, s"] = [seconds]
        time.sleep(_WARM_SECONDS)
        for _ in range(_WINDOWS):
            figures[f"{name}, quiet: CPU, % of a core"].append(_used(directory, _WINDOW_SECONDS))
        directory.tree.note_memory(figures, f"{name}, quiet")
        tasks.take_lags()
        with writes.written(tasks.streams, seconds=_WRITE_SECONDS):
            figures[f"{name}, written: CPU, % of a core"] = [_used(directory, _WRITTEN_SECONDS)]
        figures[f"{name}, written: lag, s"] = tasks.take_lags()
        for _ in range(_MORE_TASKS):
            began = time.monotonic()
            tasks.until_read(tasks.add())
            figures[f"{name}: one more, from its file to its first read, s"].append(time.monotonic() - began)
    return figures


def _used(directory: TaskDirectory, seconds: float) -> float:
    before, began = directory.tree.cpu().total(), time.monotonic()
    time.sleep(seconds)
    return (directory.tree.cpu().total() - before) / (time.monotonic() - began) * 100
