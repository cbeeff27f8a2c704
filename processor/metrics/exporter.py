"""The process that publishes a daemon's metrics: ``python -m processor.metrics.exporter``, started by the daemon.

It reads the files of the daemon's children. On its standard input the daemon sends, now and then, a line of JSON with
what only the daemon knows; when the input ends, the daemon has ended. Nothing waits for this process, and if it fails,
replication goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from processor.aws.clients import Clients
from processor.flow.outage import Outage
from processor.flow.rounds import Rounds
from processor.metrics import prometheus_endpoint
from processor.metrics.collector import DaemonCollector, Heard
from processor.metrics.heartbeat_writer import HeartbeatWriter
from processor.metrics.publishing import publishers
from processor.metrics.shard_files import DIRECTORY
from processor.reporting.logs import Log
from processor.settings.kept_process import begun, listen
from processor.settings.settings import Settings
from processor.state import care_row, verification_row

# Between two looks at a row of the task's table.
_ROW_SECONDS = 60.0


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
            )
            rounds = Rounds(writer.beat, name="heartbeat", every_seconds=settings.heartbeat_seconds, outage=outage)
            stack.enter_context(rounds)
        if settings.verifies:
            note = "Only its metrics stand still meanwhile."
            stack.enter_context(
                _looks(
                    lambda: collector.verified(verification_row.read(clients.checkpoints(), settings.task_table)),
                    name="verification-reader",
                    outage=Outage(log, "verification_unread", note=note),
                )
            )
        if settings.makes_replica:
            note = "Only its metric stands still meanwhile."
            stack.enter_context(
                _looks(
                    lambda: collector.cared(care_row.read(clients.checkpoints(), settings.task_table)),
                    name="care-reader",
                    outage=Outage(log, "replica_unread", note=note),
                )
            )
        yield


def _looks(look: Callable[[], None], *, name: str, outage: Outage) -> Rounds:
    """At a row of the task's table."""
    return Rounds(look, name=name, every_seconds=_ROW_SECONDS, outage=outage)


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
