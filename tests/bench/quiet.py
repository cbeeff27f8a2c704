"""What a shard costs that is written seldom, or one record at a time: CPU, memory, lag, calls.

The stream (``LiveStream``) and the sink are processes of their own; checkpoints are kept on DynamoDB Local, whose calls
are counted on the way. CPU is what the OS counts of the daemon's whole process tree, so what else the machine does
matters little. A shard's own share is told by the difference between a daemon of nine shards and one of one.
"""

from __future__ import annotations

import random
import statistics
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import writes
from tests.bench.figures import Figures
from tests.bench.processes import MB, Tree, exact_cpu_seconds
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.streams.live_stream import LiveStream
from tests.scenarios.conftest import Servers

if TYPE_CHECKING:
    import psutil

FEW, SEVERAL = 1, 9
# Until Java has compiled what an idle daemon does, and reads have become rare.
_WARM_SECONDS = 60.0
_WINDOWS, _WINDOW_SECONDS = 4, 15.0
_WRITE_SECONDS = 0.1
_CHILD_STARTS = 5
_MANY_WARM_SECONDS = 90.0
_SPREAD_SECONDS = 120.0
_START_SECONDS = 600.0
# The calls that go on for as long as a daemon runs.
_LASTING = {
    "stream GetRecords",
    "stream DescribeStream",
    "checkpoints UpdateItem",
    "checkpoints Scan",
    "checkpoints GetItem",
}


class _Running:
    """One daemon, what it reads, writes and keeps, and what all of its processes took."""

    def __init__(
        self, stack: ExitStack, servers: Servers, folder: Path, shards: int, settings: Mapping[str, str]
    ) -> None:
        self.stream = stack.enter_context(LiveStream(shards=shards))
        self.sink = stack.enter_context(NullSink())
        # The proxy would be the limit of very many shards.
        self._counted = stack.enter_context(FaultProxy(servers.source)) if shards <= SEVERAL else None
        made = {
            **self.stream.settings,
            **self.sink.settings,
            "kclEndpoint": servers.source if self._counted is None else self._counted.endpoint,
            "taskName": f"bench-{uuid.uuid4().hex[:8]}",
            **settings,
        }
        self.began = time.monotonic()
        self.daemon = stack.enter_context(Replicator(folder / uuid.uuid4().hex, made))
        self.tree = Tree(self.daemon.process.pid)
        until(
            lambda: self.stream.counts().get("shards_read", 0) >= shards,
            f"all shards read; {self.daemon.folder} has the daemon's logs",
            seconds=_START_SECONDS,
            pause_seconds=0.05,
        )
        self.seconds_to_all_read = time.monotonic() - self.began

    def calls(self) -> Counter[str]:
        """Calls so far, by who was asked for what."""
        made = Counter({f"stream {name}": count for name, count in self.stream.counts().items() if name[0].isupper()})
        if self._counted is not None:
            made.update({f"checkpoints {name}": count for name, count in self._counted.received.items()})
        return made

    def children(self) -> list[psutil.Process]:
        """Those that have a shard."""
        return [each for each in self.daemon.children() if each.is_running()]


def idle(servers: Servers, folder: Path) -> Figures:
    """Daemons whose shards are never written: CPU, calls, memory."""
    figures: Figures = defaultdict(list)
    for shards in (FEW, SEVERAL):
        with ExitStack() as stack:
            running = _Running(stack, servers, folder, shards, {})
            time.sleep(_WARM_SECONDS)
            _look(figures, f"idle, {shards}", running)
            _memory(figures, f"idle, {shards}", running)
    _differences(figures, "idle")
    return figures


def written(servers: Servers, folder: Path) -> Figures:
    """Daemons each of whose shards is written ten times a second: CPU, calls, memory, lag."""
    figures: Figures = defaultdict(list)
    for shards in (FEW, SEVERAL):
        with ExitStack() as stack:
            running = _Running(stack, servers, folder, shards, {})
            stack.enter_context(writes.written([running.stream], shards=shards, seconds=_WRITE_SECONDS))
            time.sleep(_WARM_SECONDS)
            running.sink.take_lags()
            _look(figures, f"written, {shards}", running)
            figures[f"written, {shards}: lag, s"] = running.sink.take_lags()
            _memory(figures, f"written, {shards}", running)
    _differences(figures, "written")
    return figures


def child(servers: Servers, folder: Path) -> Figures:
    """A child as the daemon starts it: CPU, and the time from its begin to its answer, as the log has it."""
    figures: Figures = defaultdict(list)
    for _ in range(_CHILD_STARTS):
        with ExitStack() as stack:
            running = _Running(stack, servers, folder, 1, {})
            answered = until(lambda: _answered(running.daemon), "the child's first answer")  # noqa: B023
            (started,) = running.children()
            figures["quiet child: CPU to its first answer, s"].append(exact_cpu_seconds(started.pid))
            figures["quiet child: to its first answer, s"].append(answered - _begun(started.pid))
    return figures


def many(servers: Servers, folder: Path, *, shards: int = 500) -> Figures:
    """A daemon of very many idle shards; then with one write a second, to any of them."""
    figures: Figures = defaultdict(list)
    name = f"idle, {shards}"
    with ExitStack() as stack:
        running = _Running(stack, servers, folder, shards, {})
        figures[f"{name}: command to all shards read, s"] = [running.seconds_to_all_read]
        figures[f"{name}: CPU until all shards are read, s"] = [running.tree.cpu().total()]
        time.sleep(_MANY_WARM_SECONDS)
        _look(figures, name, running)
        _memory(figures, name, running)
        running.sink.take_lags()
        before, began = running.tree.cpu().total(), time.monotonic()
        draw = random.Random(1)
        while time.monotonic() - began < _SPREAD_SECONDS:
            running.stream.write(draw.randrange(shards))
            time.sleep(1)
        used = (running.tree.cpu().total() - before) / (time.monotonic() - began)
        figures[f"spread, {shards}: CPU, % of a core"] = [used * 100]
        figures[f"spread, {shards}: lag, s"] = running.sink.take_lags()
    return figures


def fifty(servers: Servers, folder: Path) -> Figures:
    """The same of fifty, which less memory and time is enough for."""
    return many(servers, folder, shards=50)


def two_hundred(servers: Servers, folder: Path) -> Figures:
    """The same of as many as a machine that has other work can bear."""
    return many(servers, folder, shards=200)


def _look(figures: Figures, name: str, running: _Running) -> None:
    """CPU and calls of several windows, one after the other."""
    for _ in range(_WINDOWS):
        used, made, began = running.tree.cpu(), running.calls(), time.monotonic()
        time.sleep(_WINDOW_SECONDS)
        seconds = time.monotonic() - began
        parts = running.tree.cpu()
        parts.subtract(used)
        figures[f"{name}: CPU, % of a core"].append(parts.total() / seconds * 100)
        for part, cpu in sorted(parts.items()):
            figures[f"{name}: CPU of {part}, % of a core"].append(cpu / seconds * 100)
        calls = running.calls()
        calls.subtract(made)
        for call in sorted(_LASTING & calls.keys()):
            figures[f"{name}: {call}, 1/s"].append(calls[call] / seconds)


def _memory(figures: Figures, name: str, running: _Running) -> None:
    """Megabytes: of all processes, of the JVM, and of each child."""
    children = running.children()
    for process, found in running.tree.note_memory(figures, name).items():
        if process == running.tree.jvm:
            figures[f"{name}: JVM, resident, MB"] = [found.rss / MB]
        elif process in children:
            figures[f"{name}: child, resident, MB"].append(found.rss / MB)
            figures[f"{name}: child, private, MB"].append(found.uss / MB)
            figures[f"{name}: child, proportional, MB"].append(found.pss / MB)


def _differences(figures: Figures, name: str) -> None:
    """Of each further shard, by medians."""
    for figure in [each for each in figures if each.startswith(f"{name}, {SEVERAL}: ")]:
        words = figure.partition(": ")[2]
        if words.endswith(("% of a core", "1/s")):
            few = statistics.median(figures.get(f"{name}, {FEW}: {words}") or [0.0])
            share = [(value - few) / (SEVERAL - FEW) for value in figures[figure]]
            figures[f"{name}, each further: {words}"] = share


def _begun(pid: int) -> float:
    """The moment when a process began, since the epoch; psutil's is off by up to a second."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks * 0.01


def _answered(daemon: Replicator) -> float | None:
    line = next((line for line in daemon.log().splitlines() if " shard_started " in line), None)
    return line and datetime.fromisoformat(line.split(" ", 1)[0].replace("Z", "+00:00")).timestamp()
