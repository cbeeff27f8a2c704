"""Where each 100 ms goes, from the command to the first record at the destination."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psutil

from tests.bench.figures import Figures
from tests.bench.processes import cpu_seconds
from tests.fakes.daemon.replicator import Replicator
from tests.scenarios.conftest import Pair, Servers

REPEATS = 5
_LOOK_SECONDS = 0.002
_SETTLED_SECONDS = 2.0

# The end of each phase, in order: words of kcl.log that come first then, of the pinned KCL and adapter.
_LOG_PHASES = (
    ("JVM to its first log line", "AwsCredentialsProviderPropertyValueDecoder"),
    ("KCL's configuration", "MultiLangDaemonConfig Running"),
    ("clients, scheduler", "Scheduler Initial state"),
    ("tables, first leases, worker id's check", "Scheduler Initializing LeaseCoordinator attempt"),
    ("KCL's initialisation", "Scheduler Starting LeaseCoordinator"),
    ("first lease", "Created new shardConsumer"),
)


def start(servers: Servers, folder: Path) -> Figures:
    """Seconds from the command to the first record, all set up; then the phases, and CPU of daemon and child."""
    figures: Figures = {}
    for _ in range(REPEATS):
        pair = Pair(servers)
        running = Replicator(folder / uuid.uuid4().hex, pair.settings)
        with contextlib.ExitStack() as stack:
            stack.push(running)
            _measure(figures, "first start", pair, running)
            for name, number in (("after SIGTERM", signal.SIGTERM), ("after kill -9", signal.SIGKILL)):
                pair.wait_checkpoint()
                time.sleep(_SETTLED_SECONDS)  # until the leases are renewed
                running.stop(number)
                _measure(figures, name, pair, running)
            running.stop()
    return dict(sorted(figures.items(), key=lambda figure: ": " in figure[0]))


def _measure(figures: Figures, name: str, pair: Pair, running: Replicator) -> None:
    began = time.time()
    running.start()
    watch = _Watch(running)
    watch.start()
    key = uuid.uuid4().hex
    pair.put(key)
    pair.wait_for(key)
    ended = time.time()
    watch.stop()
    cpu = watch.cpu_seconds()
    figures.setdefault(f"{name}, s", []).append(ended - began)
    figures.setdefault(f"{name}: CPU of run.sh, Python and JVM, s", []).append(cpu[0])
    figures.setdefault(f"{name}: CPU of the child, s", []).append(cpu[1])
    at = began
    for phase, end in [*watch.phases(), *_logged(running, began), ("first read, first write", ended)]:
        figures.setdefault(f"{name}: {phase}, s", []).append(end - at)
        at = end


class _Watch(threading.Thread):
    """Sees one process become bash, Python and Java in turn, and what it uses."""

    def __init__(self, running: Replicator) -> None:
        super().__init__(name="watch", daemon=True)
        self._running = running
        self._process = psutil.Process(running.process.pid)
        self._became: dict[str, float] = {}
        self._done = threading.Event()

    def run(self) -> None:
        """Look until Java is seen, every 2 ms."""
        while "java" not in self._became and not self._done.wait(_LOOK_SECONDS):
            name = self._process.name()
            self._became.setdefault("python" if name.startswith("python") else name, time.time())

    def stop(self) -> None:
        """Wait for its end."""
        self._done.set()
        self.join()

    def phases(self) -> Iterator[tuple[str, float]]:
        """Each phase before the JVM with its end, a time of the wall."""
        yield "run.sh", self._became["python"]
        yield "Python: imports, preflight", self._became["java"]

    def cpu_seconds(self) -> tuple[float, float]:
        """Of the process itself, and of its children that run."""
        children = sum(cpu_seconds(child) for child in self._running.children())
        return cpu_seconds(self._process), children


def _logged(running: Replicator, began: float) -> Iterator[tuple[str, float]]:
    lines = [line for line in running.log("kcl.log").splitlines() if _time(line) >= began]
    for phase, words in _LOG_PHASES:
        yield phase, _first(lines, words)
    lines = [line for line in running.log().splitlines() if _time(line) >= began]
    yield "child ready", _first(lines, "shard_started")


def _first(lines: list[str], words: str) -> float:
    return next(_time(line) for line in lines if words in line)


def _time(line: str) -> float:
    """Of a line that has one, since the epoch; of any other, as of a trace, none."""
    try:
        return datetime.fromisoformat(line.split(" ", 1)[0].replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
