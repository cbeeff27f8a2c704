"""What a child's parts can do by themselves, on batches that a real daemon sent."""

from __future__ import annotations

import base64
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import psutil

from processor.replication.stream_record import decode
from processor.settings.settings import Settings
from tests.bench.processes import cpu_seconds
from tests.fakes.daemon.fake_daemon import FakeDaemon
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.task.tasks import task

STARTS = 10
_SCRIPT = Path(__file__).with_name("fed_child.py")
_WARM_BATCHES, _BATCHES = 20, 100


def decode_only(folder: Path, messages: Path) -> tuple[float, float]:
    """Our child from the daemon's line to the list of changes and their checkpoint, with nothing written.

    :returns: records a second, and µs of CPU for each
    """
    lines = messages.read_bytes().splitlines(keepends=True)
    with _child(folder, _settings("http://127.0.0.1:1"), part="decode") as (daemon, _):
        for line in islice(cycle(lines), _WARM_BATCHES):
            _feed(daemon, line)
        process = psutil.Process(daemon.child.pid)
        began, used = time.monotonic(), cpu_seconds(process)
        for line in islice(cycle(lines), _BATCHES):
            _feed(daemon, line)
        seconds, cpu = time.monotonic() - began, cpu_seconds(process) - used
    records = sum(map(_records, islice(cycle(lines), _BATCHES)))
    return records / seconds, cpu / records * 1e6


def write_only(folder: Path, messages: Path, *, latency_ms: float = 0) -> tuple[float, float]:
    """Our applier and table in a loop over one decoded batch, into a null sink of its own.

    :param latency_ms: the sink's
    :returns: as ``decode_only``
    """
    with messages.open("rb") as file:
        line = file.readline()
    with (
        NullSink(latency_ms=latency_ms) as sink,
        _child(folder, _settings(sink.endpoint), part="write") as (daemon, figures),
    ):
        _feed(daemon, line)
        found = json.loads(figures.read_text())
        assert sink.counts()["items"] >= found["records"]
        return found["records"] / found["seconds"], found["cpu"] / found["records"] * 1e6


def start_of_child(folder: Path) -> Iterator[float]:
    """CPU seconds from ``exec`` to the answer to KCL's first message."""
    for _ in range(STARTS):
        place = folder / uuid.uuid4().hex
        place.mkdir()
        with FakeDaemon(_settings("http://127.0.0.1:1"), place) as daemon:
            daemon.initialize()
            yield cpu_seconds(psutil.Process(daemon.child.pid))


@contextmanager
def _child(folder: Path, settings: Settings, *, part: str) -> Iterator[tuple[FakeDaemon, Path]]:
    place = folder / uuid.uuid4().hex
    place.mkdir()
    figures = place / "figures.json"
    environment = {**os.environ, "BENCH_PART": part, "BENCH_FIGURES": str(figures)}
    with FakeDaemon(settings, place, script=_SCRIPT, environment=environment) as daemon:
        daemon.initialize()
        yield daemon, figures


def _settings(endpoint: str) -> Settings:
    return task(destinationEndpoint=endpoint, dontPublishCloudwatch="true")


def _records(line: bytes) -> int:
    return sum(len(decode(base64.b64decode(batch["data"]))) for batch in json.loads(line)["records"])


def _feed(daemon: FakeDaemon, line: bytes) -> None:
    """A batch, all of whose checkpoints are stored."""
    daemon.write(line)
    while (message := daemon.receive())["action"] == "checkpoint":
        daemon.send(**message, error=None)
