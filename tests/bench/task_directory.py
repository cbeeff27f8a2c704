"""The daemon of a directory of tasks, as a bench has it: checkpoints on DynamoDB Local, all else told by the bench."""

from __future__ import annotations

import contextlib
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import javaproperties
import psutil

from tests.bench.processes import Tree, exact_cpu_seconds, megabytes
from tests.fakes.daemon.replicator import Replicator
from tests.scenarios.conftest import Servers

if TYPE_CHECKING:
    from typing_extensions import Self


class TaskDirectory:
    """Made empty; started by ``start``, and killed at the end, for nobody needs its leases.

    :param folder: for the files and the logs
    """

    tree: Tree

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.folder = folder / uuid.uuid4().hex[:8]
        self._conf = self.folder / "conf"
        self._conf.mkdir(parents=True)
        common = {
            "kclEndpoint": servers.source,
            "logDirectory": str(self.folder / "logs"),
            "dontPublishCloudwatch": "true",
            "shutdownGraceMillis": "120000",
        }
        self._write("common", common)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, name: str, settings: dict[str, str]) -> None:
        """A file of one task more, with checkpoints and a destination table of its own."""
        own = {"destinationTable": f"sink-{name}", "taskName": f"bench-{self.folder.name}-{name}"}
        self.add_as_it_is(name, {**settings, **own})

    def add_as_it_is(self, name: str, settings: dict[str, str]) -> None:
        """A file of one task more, which says all of that itself."""
        self._write(name, settings)

    def remove(self, name: str) -> None:
        """Take its file away."""
        (self._conf / f"{name}.properties").unlink()

    def _write(self, name: str, settings: dict[str, str]) -> None:
        text = javaproperties.dumps(settings, timestamp=False)
        (self._conf / f"{name}.properties").write_text(text, encoding="latin-1")

    def start(self) -> None:
        """Start it, and return at once."""
        self._daemon = self._stack.enter_context(Replicator(self.folder / "daemon", {}, given=[self._conf]))
        self.tree = Tree(self._daemon.process.pid)

    def stop(self) -> int:
        """Stop it as a service manager does; returns its exit status."""
        return self._daemon.stop()

    @property
    def console(self) -> str:
        """All that was printed."""
        return self._daemon.console

    def cpu_of_parts(self) -> dict[str, float]:
        """Seconds so far: of the JVM, of the process that keeps the tasks, and of children with their nursery."""
        used = {"JVM": 0.0, "keeper": 0.0, "children": 0.0}
        for process in self.tree.processes():
            with contextlib.suppress(OSError, psutil.NoSuchProcess):
                is_keeper = "processor.cli.keeper" in process.cmdline()
                part = "JVM" if process == self.tree.jvm else "keeper" if is_keeper else "children"
                used[part] += exact_cpu_seconds(process.pid)
        return used

    def jvm_memory(self) -> float:
        """Resident, in MB."""
        return megabytes(self.tree.jvm)

    def threads(self) -> int:
        """Of the JVM."""
        return int(self.tree.jvm.num_threads())
