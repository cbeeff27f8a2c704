"""./run.sh as a process of its own, and what a test wants to know about it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import javaproperties
import psutil

from processor.startup import java
from tests.fakes.daemon.log_line import reporting
from tests.fakes.patience import PATIENCE_SECONDS, until

__all__ = ["PATIENCE_SECONDS", "Replicator", "until"]  # what waits is patience.py's; tests find it here, too


class Replicator:
    """One ``./run.sh`` with a properties file of its own; ends whatever it started when the test is over.

    :param given: files and directories of tasks that it is given instead, to which ``settings`` are nothing
    :param program: run this instead of ``root``'s ``run.sh``
    """

    def __init__(
        self,
        folder: Path,
        settings: dict[str, str],
        *,
        given: Sequence[Path] = (),
        arguments: Sequence[str] = (),
        root: Path = java.ROOT,
        program: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log_directory = folder / "logs"
        self._program = list(program) or [str(root / "run.sh")]
        self._arguments = list(arguments)
        self._console = folder / "console.log"
        self._given = list(given) or [folder / "replication.properties"]
        usual = {
            "dontPublishCloudwatch": "true",
            "logDirectory": str(self.log_directory),
            "shutdownGraceMillis": "120000",  # a busy machine takes longer to finish what is in hand
        }
        if not given:
            self._given[0].write_text(javaproperties.dumps(usual | settings, timestamp=False), encoding="latin-1")
        self._process: subprocess.Popen[bytes] | None = None
        self._without_nursery: list[psutil.Process] = []

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running (or last) process: run.sh's, and after its ``exec`` the daemon's."""
        assert self._process is not None
        return self._process

    def start(self, *, environment: dict[str, str] | None = None) -> Replicator:
        """Start it, and return at once."""
        with self._console.open("ab") as console:
            self._process = subprocess.Popen(
                [*self._program, *self._given, *self._arguments],
                cwd="/",
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        return self

    @property
    def console(self) -> str:
        """Everything printed so far, by all starts."""
        return self._console.read_text(errors="replace") if self._console.exists() else ""

    def events(self, name: str) -> list[str]:
        """The console's lines so far that report this event."""
        return reporting(self.console.splitlines(), name)

    def log(self, name: str = "replication.log") -> str:
        """A log file's text; empty while there is none."""
        found = sorted(self.log_directory.glob(f"*/{name}"))
        return "".join(path.read_text(errors="replace") for path in found)

    def children(self) -> list[psutil.Process]:
        """The record processors that run now: forked from the nursery, or programs of their own."""
        try:
            family = psutil.Process(self.process.pid).children(recursive=True)
            nurseries = {each.pid for each in self.nurseries()}
            found = [
                each for each in family if "processor.replication.child" in each.cmdline() or each.ppid() in nurseries
            ]
        except psutil.NoSuchProcess:
            found = []
        return [*found, *(each for each in self._without_nursery if each not in found and each.is_running())]

    def nursery(self) -> psutil.Process:
        """The process that children are forked from, once it is there."""
        found = until(self.nurseries, "the nursery")
        return found[0]

    def kill_nursery(self) -> psutil.Process:
        """Kill it, once it is there. Its children go on, and ``children`` still has them."""
        nursery = self.nursery()
        self._without_nursery += self.children()
        nursery.kill()
        return nursery

    def nurseries(self) -> list[psutil.Process]:
        """The processes that children are forked from, as they are now: one, or none while another is started."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        found = {each.pid: each for each in family if "processor.replication.nursery" in each.cmdline()}
        return [each for each in found.values() if each.ppid() not in found]  # those forked from it have its command

    @contextlib.contextmanager
    def suspended(self, children_first: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Stopped where it stands, its children too, as a machine that sleeps.

        :param children_first: what its children have done before the daemon itself wakes
        """
        jvm = psutil.Process(self.process.pid)
        processes = [jvm, *jvm.children(recursive=True)]
        for process in processes:
            process.suspend()
        yield
        for process in reversed(processes[1:]):  # a child must not depend on its daemon to be told
            process.resume()
        children_first()
        jvm.resume()

    def stop(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = PATIENCE_SECONDS) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        self.process.send_signal(number)
        return self.wait(seconds=seconds)

    def wait(self, *, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end; returns the exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds:.0f} s:\n{self.console[-3000:]}") from None

    def __enter__(self) -> Replicator:  # noqa: PYI034  # Self came with Python 3.11
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            orphans = self.children()
            self._process.kill()
            self._process.wait()
            psutil.wait_procs(orphans, timeout=PATIENCE_SECONDS)
