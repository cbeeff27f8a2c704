"""The process that publishes a daemon's metrics: ``python -m processor.metrics.exporter``, started by the daemon.

It reads the files of the daemon's children. On its standard input the daemon sends, now and then, a line of JSON with
what only the daemon knows; when the input ends, the daemon has ended. Nothing waits for this process, and if it fails,
replication goes on.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

import msgspec

from processor.aws.clients import Clients
from processor.flow.outage import Outage
from processor.metrics import prometheus_endpoint
from processor.metrics.collector import DaemonCollector, Heard
from processor.metrics.heartbeat_writer import HeartbeatWriter
from processor.metrics.publishing import publishers
from processor.metrics.shard_files import DIRECTORY
from processor.metrics.sinks import sinks
from processor.reporting import logs
from processor.reporting.console import MessageStream
from processor.reporting.logs import Log
from processor.settings.daemon_files import handed_down
from processor.settings.settings import Settings
from processor.system.signals import leave_to_parent


def listen(lines: Iterable[str], hear: Callable[[Heard], None]) -> None:
    """Pass the daemon's messages on, until it ends."""
    for line in lines:
        try:
            hear(msgspec.json.decode(line, type=Heard))
        except msgspec.DecodeError:
            continue  # half a line, from a daemon that was killed in the middle of it


def run(settings: Settings, directory: Path, said: TextIO) -> None:
    """Publish the metrics of the files in ``directory`` until ``said`` ends."""
    log = Log()
    clients = Clients(settings)
    collector = DaemonCollector(directory, task=settings.task_name)
    asked = sinks(settings, os.environ)
    stop = threading.Event()
    with ExitStack() as stack:
        if "prometheus" in asked:
            thread = threading.Thread(
                target=prometheus_endpoint.serve,
                args=(settings, collector),
                kwargs={"log": log, "stop": stop},
                name="metrics-port",
            )
            thread.start()
            stack.callback(thread.join)
            stack.callback(stop.set)  # so that the thread ends even if something fails from here on
        stack.enter_context(pushing(settings, directory, collector, clients=clients, log=log))
        stack.callback(stop.set)
        listen(said, collector.hear)


@contextmanager
def pushing(
    settings: Settings, directory: Path, collector: DaemonCollector, *, clients: Clients, log: Log
) -> Iterator[None]:
    """Publish a task's metrics, and write its heartbeat, as far as its settings ask for that."""
    with ExitStack() as stack:
        stack.enter_context(publishers(settings, collector.collect, clients, log, continued=_is_continued(directory)))
        if settings.heartbeat_seconds is not None:
            outage = Outage(
                log, "heartbeat_delayed", note="Replication goes on; only the heartbeat's figures are missing."
            )
            writer = HeartbeatWriter(
                settings.source_table,
                region=settings.source_region,
                connect=clients.source,
                task_name=settings.task_name,
                seconds=settings.heartbeat_seconds,
                outage=outage,
            )
            writer.start()
            stack.callback(writer.stop)
        yield


def _is_continued(directory: Path) -> bool:
    """Whether this daemon had another exporter before, which died."""
    told = directory / "told"
    was_there = told.exists()
    with suppress(OSError):  # for example a full disk: then the next exporter may publish a part twice
        told.touch()
    return was_there


def main() -> None:
    """Run until the end of input."""
    leave_to_parent()
    sys.stderr = MessageStream(sys.stderr)
    settings, directory = handed_down(os.environ)
    logs.configure(form=settings.log_format)
    run(settings, directory / DIRECTORY, sys.stdin)


if __name__ == "__main__":
    main()
