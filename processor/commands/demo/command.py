"""Runs the demo: two servers on this machine, a live workload, and the real daemon between them."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.live import Live

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.commands.demo import servers as demo_servers
from processor.commands.demo.own_replica import OwnReplica
from processor.commands.demo.page import served_page
from processor.commands.demo.spoke_side import SpokeSide, without
from processor.commands.demo.tables_look import TablesLook
from processor.commands.demo.workload import PROBE_KEY, Item, LagProbe, Workload, create_table, scan
from processor.errors import ReplicatorError
from processor.flow.chance import CHANCE
from processor.reporting import output
from processor.reporting.rich_console import PrintableConsole
from processor.settings.settings import Settings
from processor.startup.slot import make_log_directory

LINE_SECONDS = 5.0
LOOK_SECONDS = 0.5
# What was written so lately may still be on its way, and is no difference.
FRESH_SECONDS = 1.0
# How long the tables may take to become equal once nothing is written any more.
SETTLE_SECONDS = 60.0
# The daemon's own grace for the batch in progress (shutdownGraceMillis), and a little more.
STOP_SECONDS = 40.0
_WRITE_PAUSE_SECONDS = 0.02
# Of a demo that is two-way, in the folder of its logs.
_CONFLICTS = "conflicts.jsonl"
_NOT_THE_DEMO_S = (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
)


def run(settings: Settings, arguments: Sequence[str]) -> int:
    """Start everything, watch it, stop everything.

    :param arguments: the command line as given; the daemon gets the same, with the servers' endpoints
    :returns: 0; 1 where the tables differ at the end of ``demoSeconds``
    :raises ReplicatorError: the daemon ended by itself
    """
    logs = Path(settings.log_directory) / settings.task_name
    os.close(make_log_directory(logs, settings))
    name, servers = demo_servers.made(settings, logs)
    stop, at_once = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not as an exception: if it arrived inside Popen, a process would be left that nobody knows of.
        signal.signal(number, lambda *_: (at_once if stop.is_set() else stop).set())
    _own_credentials()
    output.line(f"Starting two {name} servers ...", flush=True)
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
            server.start()
        endpoints = [server.wait().endpoint for server in servers]
        demo = _Demo(
            settings,
            arguments,
            logs,
            stop,
            at_once,
            source_endpoint=endpoints[0],
            destination_endpoint=endpoints[1],
        )
        return demo.run()


def _own_credentials() -> None:
    """Use made-up credentials, never the user's: nothing of the demo may reach an AWS account."""
    for name in _NOT_THE_DEMO_S:
        os.environ.pop(name, None)
    os.environ.update(AWS_ACCESS_KEY_ID="demo", AWS_SECRET_ACCESS_KEY="demo", AWS_EC2_METADATA_DISABLED="true")  # noqa: S106


class _Demo:
    def __init__(
        self,
        settings: Settings,
        arguments: Sequence[str],
        logs: Path,
        stop: threading.Event,
        at_once: threading.Event,
        *,
        source_endpoint: str,
        destination_endpoint: str,
    ) -> None:
        self._settings = settings
        self._arguments = arguments
        self._logs = logs
        self._stop, self._at_once = stop, at_once
        endpoints = {
            "sourceEndpoint": source_endpoint,
            "destinationEndpoint": destination_endpoint,
            "kclEndpoint": source_endpoint,
        }
        self._own = [part for name, value in endpoints.items() for part in (f"--{name}", value)]
        self._own += ["--demo", "false", "--dontPublishCloudwatch"]
        here = {"source_endpoint": source_endpoint, "destination_endpoint": destination_endpoint}
        clients = Clients(msgspec.structs.replace(settings, **here), create=boto3_clients.create)
        self._source, self._destination = clients.source(), clients.destination()
        seed = CHANCE.randrange(2**32)
        self._workload = Workload(self._source, settings.source_table, seed=seed, pause_seconds=_WRITE_PAUSE_SECONDS)
        self._probe = LagProbe(self._source, settings.source_table, self._destination, settings.destination_table)
        self._there: SpokeSide | None = None
        if settings.two_way:
            conflicts = logs / _CONFLICTS
            conflicts.unlink(missing_ok=True)  # an earlier demo's
            self._own += ["--conflictUri", conflicts.absolute().as_uri()]
            self._there = SpokeSide(
                (self._source, settings.source_table),
                (self._destination, settings.destination_table),
                conflicts=conflicts,
                seed=seed + 1,
                pause_seconds=_WRITE_PAUSE_SECONDS,
            )
        self._replica: OwnReplica | None = None
        if settings.bootstrap:
            self._replica = OwnReplica(self._source, settings)
            self._own += self._replica.options()
        self._started = time.monotonic()

    def run(self) -> int:
        if self._stop.is_set():
            return 0
        self._make_tables()
        self._started = time.monotonic()
        with self._replicator() as replicator:
            with served_page([*self._arguments, *self._own], log=self._logs / "page.log"):
                self._workload.start()
                self._probe.start()
                if self._there is not None:
                    self._there.start()
                self._watch(replicator, self._settings.demo_seconds)
                self._probe.stop()
                self._workload.stop()
                if self._there is not None:
                    self._there.stop()
                if self._stop.is_set():
                    again = "Ctrl-C again ends it at once."
                    output.line(f"Nothing is written any more. Waiting until the tables are equal. {again}", flush=True)
                look = self._settle(replicator)
                self._at_once.wait(LOOK_SECONDS)  # a checkpoint follows its writes
            output.line(look.line())
            if not look.differing:
                output.line(self._verdict(look), flush=True)
        output.line(f"Logs are in {self._logs}")
        if not look.differing:
            return 0
        output.say(f"{len(look.differing)} keys differ: {', '.join(look.differing[:20])}")
        return 0 if self._at_once.is_set() else 1

    def _make_tables(self) -> None:
        if self._replica is not None:
            self._replica.fill()
            return
        create_table(self._source, self._settings.source_table, stream=True)
        create_table(self._destination, self._settings.destination_table, stream=self._there is not None)

    def _verdict(self, look: TablesLook) -> str:
        if self._there is None:
            return f"The tables are equal: all {look.written} writes are at the destination."
        return (
            f"The tables are equal, after {look.written} writes, {self._there.written} of them at the spoke. "
            f"{look.conflicts} met another one of the other side: {self._there.conflicts_file} has both images of each."
        )

    @contextlib.contextmanager
    def _replicator(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-I", "-m", "processor", *self._arguments, *self._own]
        with (self._logs / "console.log").open("wb") as console:
            replicator = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
            try:
                yield replicator
            finally:
                replicator.terminate()
                try:
                    replicator.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    replicator.kill()
                    replicator.wait()

    def _watch(self, replicator: subprocess.Popen[bytes], seconds: int | None) -> None:
        console = PrintableConsole()
        end = None if seconds is None else self._started + seconds
        live = (
            Live(self._look().table(), console=console, auto_refresh=False)
            if console.is_terminal
            else contextlib.nullcontext()
        )
        next_line = 0.0
        with live:
            while not self._stop.is_set() and (end is None or time.monotonic() < end):
                self._check_alive(replicator)
                look = self._look()
                if isinstance(live, Live):
                    live.update(look.table(), refresh=True)
                elif time.monotonic() >= next_line:
                    next_line = time.monotonic() + LINE_SECONDS
                    output.line(look.line(), flush=True)
                self._stop.wait(LOOK_SECONDS)

    def _settle(self, replicator: subprocess.Popen[bytes]) -> TablesLook:
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            look = self._look()
            if not look.differing or self._at_once.is_set() or time.monotonic() > deadline:
                return look
            self._check_alive(replicator)
            self._at_once.wait(LOOK_SECONDS)

    def _check_alive(self, replicator: subprocess.Popen[bytes]) -> None:
        if replicator.poll() is not None:
            tail = (self._logs / "console.log").read_text(errors="replace")[-2000:]
            output.say(f"From {self._logs}/console.log:", *tail.splitlines())
            message = f"The replicator ended by itself with {replicator.returncode}. Its last words are above."
            raise ReplicatorError(message)

    def _look(self) -> TablesLook:
        fresh_from = time.monotonic() - FRESH_SECONDS
        destination = scan(self._destination, self._settings.destination_table)
        source = scan(self._source, self._settings.source_table)
        lags = self._probe.samples_seconds()
        there = self._there
        if there is not None:
            destination = without(destination, self._settings.marker_attribute)
            lags += there.lags_seconds()
        differing = sorted(key for key in source.keys() | destination.keys() if source.get(key) != destination.get(key))
        fresh = self._workload.written_since(fresh_from) | self._probe.written_since(fresh_from)
        fresh |= there.written_since(fresh_from) if there is not None else set()
        percentiles = statistics.quantiles(lags, n=20, method="inclusive") if len(lags) > 1 else None
        return TablesLook(
            seconds=time.monotonic() - self._started,
            written=self._workload.written + (0 if there is None else there.written),
            replicated=0 if there is not None else self._replicated(destination),
            lag_p50=percentiles[9] if percentiles else None,
            lag_p95=percentiles[18] if percentiles else None,
            differing=differing,
            late=[key for key in differing if key not in fresh],
            conflicts=None if there is None else there.conflicts(),
            replica=None if self._replica is None else self._replica.phase(),
        )

    def _replicated(self, destination: Mapping[str, Item]) -> int:
        return self._workload.arrived({key: item for key, item in destination.items() if key != PROBE_KEY})
