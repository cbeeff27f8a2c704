"""The process that publishes the metrics of a daemon of many tasks: ``python -m processor.metrics.exporter_of_many``.

As ``exporter.py``, with one page for Prometheus, whose labels name the tasks. On its standard input the daemon says
which tasks have begun and ended, and now and then what only the daemon knows of one: a line of JSON for each.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec
from prometheus_client.registry import Collector

from processor.aws.clients import Clients
from processor.errors import ReplicatorError
from processor.metrics import exporter, prometheus_endpoint
from processor.metrics.collector import DaemonCollector, Heard
from processor.metrics.shard_files import DIRECTORY
from processor.reporting.logs import Log
from processor.settings.daemon_files import SETTINGS_VARIABLE, handed_down
from processor.settings.kept_process import begun, listen

if TYPE_CHECKING:
    from prometheus_client import Metric


class HeardOfTask(msgspec.Struct, rename="camel"):
    """The daemon's message.

    :param task: the file with the settings of the task's children
    :param state: whether it has begun or ended; None in a message of what the daemon knows
    """

    task: str
    state: Literal["begun", "ended"] | None = None
    shards_unread: int = 0
    shards_lost: int = 0


@dataclass(frozen=True, slots=True)
class _Exported:
    collector: DaemonCollector
    pushing: ExitStack


class TasksCollector(Collector):
    """The metrics of all tasks, each family once. Any thread may collect."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Exported] = {}

    def hear(self, heard: HeardOfTask) -> None:
        """Take a message of the daemon."""
        known = self._tasks.get(heard.task)
        if heard.state == "begun":
            if known is None:
                self._begin(heard.task)
        elif known is None:
            return
        elif heard.state == "ended":
            del self._tasks[heard.task]
            # The last publication may take seconds, and others' messages must not wait for it.
            threading.Thread(target=known.pushing.close, name="metrics-end").start()
        else:
            known.collector.hear(Heard(shards_unread=heard.shards_unread, shards_lost=heard.shards_lost))

    def _begin(self, task: str) -> None:
        try:
            settings, directory = handed_down({SETTINGS_VARIABLE: task})
        except (OSError, ReplicatorError, msgspec.MsgspecError) as exc:  # it has ended again, and its files are gone
            Log().warning("metrics_missing", file=task, reason=str(exc), note="Replication goes on.")
            return
        log = Log(task=settings.task_name)
        collector = DaemonCollector(directory / DIRECTORY, task=settings.task_name)
        stack = ExitStack()
        stack.enter_context(
            exporter.pushing(settings, directory / DIRECTORY, collector, clients=Clients(settings), log=log)
        )
        self._tasks[task] = _Exported(collector, stack)

    def close(self) -> None:
        """Publish all for the last time, side by side."""
        threads = [threading.Thread(target=each.pushing.close, name="metrics-end") for each in self._tasks.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def collect(self) -> Iterator[Metric]:
        """Families in prometheus_client's own shape, with the samples of all tasks."""
        families: dict[str, Metric] = {}
        for each in list(self._tasks.values()):
            for family in each.collector.collect():
                known = families.setdefault(family.name, family)
                if known is not family:
                    known.samples.extend(family.samples)
        yield from families.values()


def main() -> None:
    """Run until the end of input."""
    settings, _ = begun()
    collector = TasksCollector()
    with prometheus_endpoint.serving(settings, collector, log=Log()) as stop, ExitStack() as stack:
        stack.callback(collector.close)
        stack.callback(stop)  # first: the daemon's next start needs the port
        listen(sys.stdin, HeardOfTask, collector.hear)


if __name__ == "__main__":
    main()
