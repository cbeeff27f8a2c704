"""What a daemon of many tasks costs: fifty tasks of one shard each, quiet and written, and one more beside them.

Each task has a stream of its own (``LiveStream``, a process); all write to one sink. Checkpoints are kept on DynamoDB
Local. CPU and memory are those of the daemon's whole process tree.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import javaproperties

from tests.bench import writes
from tests.bench.figures import Figures
from tests.bench.processes import Tree
from tests.fakes.daemon.replicator import Replicator
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


class _Daemon:
    """The daemon of a directory of tasks."""

    def __init__(self, stack: ExitStack, servers: Servers, folder: Path) -> None:
        self._stack = stack
        self._sink = stack.enter_context(NullSink())
        self.streams: list[LiveStream] = []
        self.conf = folder / "conf"
        self.conf.mkdir(parents=True)
        common = {
            **self._sink.settings,
            "kclEndpoint": servers.source,
            "logDirectory": str(folder / "logs"),
            "dontPublishCloudwatch": "true",
            "shutdownGraceMillis": "120000",
        }
        self._write("common", common)
        self.take_lags = self._sink.take_lags

    def _write(self, name: str, settings: dict[str, str]) -> None:
        text = javaproperties.dumps(settings, timestamp=False)
        (self.conf / f"{name}.properties").write_text(text, encoding="latin-1")

    def add(self) -> LiveStream:
        """A file of one task more."""
        stream = self._stack.enter_context(LiveStream(shards=1))
        name = f"task-{len(self.streams):03d}"
        self.streams.append(stream)
        self._write(name, {**stream.settings, "taskName": f"bench-{self.conf.parent.name}-{name}"})
        return stream

    def start(self, folder: Path) -> None:
        """Start it, and return at once."""
        daemon = self._stack.enter_context(Replicator(folder / "daemon", {}, given=[self.conf]))
        self.tree = Tree(daemon.process.pid)

    def until_read(self, stream: LiveStream) -> None:
        """Until its one shard is read."""
        until(
            lambda: stream.counts().get("shards_read", 0),
            f"a task's shard is read; {self.conf.parent} has the logs",
            seconds=_START_SECONDS,
            pause_seconds=0.05,
        )


def many(servers: Servers, folder: Path) -> Figures:
    """Start, memory, CPU of fifty quiet tasks; CPU and lag where each is written once a second; one task more."""
    figures: Figures = defaultdict(list)
    name = f"{TASKS} tasks"
    with ExitStack() as stack:
        running = _Daemon(stack, servers, folder / "many")
        for _ in range(TASKS):
            running.add()
        began = time.monotonic()
        running.start(folder / "many")
        for stream in running.streams:
            running.until_read(stream)
        figures[f"{name}: command to all of them read, s"] = [time.monotonic() - began]
        figures[f"{name}: CPU until then, s"] = [running.tree.cpu().total()]
        time.sleep(_WARM_SECONDS)
        for _ in range(_WINDOWS):
            figures[f"{name}, quiet: CPU, % of a core"].append(_used(running, _WINDOW_SECONDS))
        running.tree.note_memory(figures, f"{name}, quiet")
        running.take_lags()
        with writes.written(running.streams[:TASKS], seconds=_WRITE_SECONDS):
            figures[f"{name}, written: CPU, % of a core"] = [_used(running, _WRITTEN_SECONDS)]
        figures[f"{name}, written: lag, s"] = running.take_lags()
        for _ in range(_MORE_TASKS):
            began = time.monotonic()
            running.until_read(running.add())
            figures[f"{name}: one more, from its file to its first read, s"].append(time.monotonic() - began)
    return figures


def _used(running: _Daemon, seconds: float) -> float:
    before, began = running.tree.cpu().total(), time.monotonic()
    time.sleep(seconds)
    return (running.tree.cpu().total() - before) / (time.monotonic() - began) * 100
