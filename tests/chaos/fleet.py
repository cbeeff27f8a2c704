"""The daemons, each as on a machine of its own: its own logs, its own access key, and an operator who restarts it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import psutil

from processor.startup import java
from tests.chaos.files import TaskFiles
from tests.chaos.journal import Ended, Journals, Started
from tests.fakes.daemon.replicator import Replicator

# What a service manager waits before it starts a daemon that has ended.
_RESTART_SECONDS = 0.5


class Machine:
    """One daemon and whatever becomes of it. ``name`` is its access key too, by which the proxies know it.

    :param files: of a daemon of many tasks
    """

    def __init__(self, name: str, replicator: Replicator, journal: Journals, *, files: TaskFiles | None = None) -> None:
        self.name = name
        self.replicator = replicator
        self.files = files
        self.started_at = 0.0
        self.down_seconds = _RESTART_SECONDS  # how long it stays down, once it has ended
        self.statuses: list[int] = []  # of all its ends
        self._journal = journal
        self._down_until: float | None = None
        self._is_over = False
        self._frozen: list[psutil.Process] = []

    def start(self) -> None:
        """Start the daemon."""
        self._journal.add(Started, machine=self.name)
        self.replicator.start(environment={"AWS_ACCESS_KEY_ID": self.name})
        self.started_at = time.monotonic()
        self._down_until = None
        self.down_seconds = _RESTART_SECONDS

    @property
    def is_running(self) -> bool:
        """Whether there is a process now."""
        return self._down_until is None and self.replicator.process.poll() is None

    def look(self) -> None:
        """Note the daemon's end, and start it again when it is time."""
        if self._is_over:
            return
        if self._down_until is None:
            status = self.replicator.process.poll()
            if status is not None:
                self._ended(status)
                self._down_until = time.monotonic() + self.down_seconds
        elif time.monotonic() >= self._down_until:
            self.start()

    def kill(self) -> None:
        """Kill the JVM hard; its children are left to notice."""
        self.replicator.process.kill()
        self.replicator.process.wait()

    def keeper(self) -> psutil.Process | None:
        """The process that keeps the tasks of a daemon of many."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self.replicator.process.pid).children()
            return next((each for each in family if "processor.cli.keeper" in each.cmdline()), None)
        return None

    def family(self) -> list[psutil.Process]:
        """All processes that come of it, and are there now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.replicator.process.pid).children(recursive=True)
        return []

    def terminate(self) -> None:
        """Ask it to stop."""
        self.replicator.process.send_signal(signal.SIGTERM)

    def freeze(self, *, whole: bool) -> None:
        """Stop the processes in their tracks: the JVM with its children, or one child alone."""
        children = self.replicator.children()
        frozen = [psutil.Process(self.replicator.process.pid), *children] if whole else children[:1]
        for process in frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
                self._frozen.append(process)

    def thaw(self) -> None:
        """Let them go on."""
        while self._frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._frozen.pop().resume()

    def stop(self) -> int | None:
        """Stop it for good; returns its exit status, None where it was down already."""
        self._is_over = True
        if not self.is_running:
            return None
        status = self.replicator.stop()
        self._ended(status)
        return status

    def _ended(self, status: int) -> None:
        self.statuses.append(status)
        self._journal.add(Ended, machine=self.name, status=status)


def _machine(
    name: str, folder: Path, tasks: Sequence[dict[str, str]], journal: Journals, *, late: Container[int], root: Path
) -> Machine:
    if len(tasks) == 1:
        return Machine(name, Replicator(folder, tasks[0], root=root), journal)
    common = {"dontPublishCloudwatch": "true", "logDirectory": str(folder / "logs"), "shutdownGraceMillis": "120000"}
    files = TaskFiles(folder / "conf", dict(enumerate(tasks)), common)
    for number in range(len(tasks)):
        if number not in late:
            files.add(number)
    return Machine(name, Replicator(folder, {}, root=root, given=[files.folder]), journal, files=files)


@contextlib.contextmanager
def fleet(
    count: int,
    folder: Path,
    tasks: Sequence[dict[str, str]],
    journal: Journals,
    *,
    late: Container[int] = (),
    root: Path = java.ROOT,
) -> Iterator[list[Machine]]:
    """So many machines, started; at the end none of their processes is left.

    :param tasks: the settings of each, which all machines have
    :param late: the numbers of those whose files come later
    """
    names = [f"machine{number + 1}" for number in range(count)]
    machines = [_machine(name, folder / name, tasks, journal, late=late, root=root) for name in names]
    try:
        for machine in machines:
            machine.start()
        yield machines
    finally:
        for machine in machines:
            machine.thaw()
            machine.replicator.__exit__()
