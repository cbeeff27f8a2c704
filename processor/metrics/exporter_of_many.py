"""The process that publishes the metrics of a daemon of many tasks: ``python -m processor.metrics.exporter_of_many``.

As ``exporter.py``, with one page for Prometheus, whose labels name the tasks. On its standard input the daemon says
which tasks have begun and ended, and now and then what only the daemon knows of one: a line of JSON for each.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec
from prometheus_client.registry import Collector

from processor.aws.clients import Clients
from processor.errors import ReplicatorError
from processor.metrics import prometheus_endpoint
from processor.metrics.collector import DaemonCollector, Heard
from processor.metrics.exporter import pushing
from processor.metrics.shard_files import DIRECTORY
from processor.reporting import logs
from processor.reporting.console import MessageStream
from processor.reporting.logs import Log
from processor.settings.daemon_files import SETTINGS_VARIABLE, handed_down
from processor.system.signals import leave_to_parent

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
        stack.enter_context(pushing(settings, directory / DIRECTORY, collector, clients=Clients(settings), log=log))
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


def listen(lines: Iterable[str], collector: TasksCollector) -> None:
    """Take the daemon's messages, until it ends."""
    for line in lines:
        try:
            heard = msgspec.json.decode(line, type=HeardOfTask)
        except msgspec.DecodeError:
            continue  # half a line, from a daemon that was killed in the middle of it
        collector.hear(heard)


def main() -> None:
    """Run until the end of input."""
    leave_to_parent()
    sys.stderr = MessageStream(sys.stderr)
    settings, _ = handed_down(os.environ)
    logs.configure(form=settings.log_format)
    collector = TasksCollector()
    stop = threading.Event()
    with ExitStack() as stack:
        if settings.metrics_port is not None:
            page = threading.Thread(
                target=prometheus_endpoint.serve,
                args=(settings, collector),
                kwargs={"log": Log(), "stop": stop},
                name="metrics-port",
            )
            page.start()
            stack.callback(page.join)
            stack.callback(stop.set)
        stack.callback(collector.close)
        listen(sys.stdin, collector)


if __name__ == "__main__":
    main()
