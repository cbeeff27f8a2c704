"""The process that publishes a daemon's metrics: ``python -m processor.metrics.exporter``, started by the daemon.

It reads the files of the daemon's children. On its standard input the daemon sends, now and then, a line of JSON with
what only the daemon knows; when the input ends, the daemon has ended. Nothing waits for this process, and if it fails,
replication goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO, TypeVar

import msgspec

from processor.aws.clients import Clients
from processor.flow.outage import Outage
from processor.metrics import prometheus_endpoint
from processor.metrics.collector import DaemonCollector, Heard
from processor.metrics.heartbeat_writer import HeartbeatWriter
from processor.metrics.publishing import publishers
from processor.metrics.shard_files import DIRECTORY
from processor.metrics.verification_reader import VerificationReader
from processor.reporting import logs
from processor.reporting.console import MessageStream
from processor.reporting.logs import Log
from processor.settings.daemon_files import handed_down
from processor.settings.settings import Settings
from processor.state import verification_row
from processor.system.signals import leave_to_parent

Message = TypeVar("Message", bound=msgspec.Struct)


def begun() -> tuple[Settings, Path]:
    """Take the process over from the daemon, which has started it.

    :returns: the settings that it hands down, and the folder in which they are
    """
    leave_to_parent()
    sys.stderr = MessageStream(sys.stderr)
    settings, directory = handed_down(os.environ)
    logs.configure(form=settings.log_format)
    return settings, directory


def listen(lines: Iterable[str], kind: type[Message], hear: Callable[[Message], None]) -> None:
    """Pass the daemon's messages on, until it ends."""
    for line in lines:
        try:
            message = msgspec.json.decode(line, type=kind)
        except msgspec.DecodeError:
            continue  # half a line, from a daemon that was killed in the middle of it
        hear(message)


def run(settings: Settings, directory: Path, said: TextIO) -> None:
    """Publish the metrics of the files in ``directory`` until ``said`` ends."""
    log = Log()
    clients = Clients(settings)
    collector = DaemonCollector(directory, task=settings.task_name)
    with prometheus_endpoint.serving(settings, collector, log=log) as stop, ExitStack() as stack:
        stack.enter_context(pushing(settings, directory, collector, clients=clients, log=log))
        stack.callback(stop)  # first: the daemon's next start needs the port
        listen(said, Heard, collector.hear)


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
        if settings.verifies:
            reader = VerificationReader(
                read=lambda: verification_row.read(clients.checkpoints(), settings.task_table),
                tell=collector.verified,
                outage=Outage(log, "verification_unread", note="Only its metrics stand still meanwhile."),
            )
            reader.start()
            stack.callback(reader.stop)
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
    settings, directory = begun()
    run(settings, directory / DIRECTORY, sys.stdin)


if __name__ == "__main__":
    main()
