"""One run of a daemon on a recorded source and a null sink: how far it is and what it costs, all the while."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.bench.processes import Course, Parts, look, server
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.network.raw_http import ServerProcess
from tests.fakes.patience import until
from tests.fakes.streams.recorded_stream import RecordedStream
from tests.scenarios.conftest import Servers

OURS = ("JVM", "child")
PARTS = (*OURS, "source", "sink", "checkpoints")
_LOOK_SECONDS = 0.05
_FIRST_RECORD_SECONDS = 60.0
_WARM_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be drained.

    ``records``: of each shard. ``limit_seconds``: from the first record; what is not done by then is left.
    ``bare``: in place of our child one that only answers, and writes the messages it is given to this file.
    """

    records: int = 200_000
    shards: int = 1
    item_bytes: int = 200
    settings: Mapping[str, str] = field(default_factory=dict)
    sink: Mapping[str, Any] = field(default_factory=dict)
    limit_seconds: float = 60.0
    bare: Path | None = None


def drain(servers: Servers, folder: Path, load: Load) -> Course:
    """Start a daemon, and look until all is drained."""
    with ExitStack() as stack:
        source = stack.enter_context(
            RecordedStream(records=load.records, shards=load.shards, item_bytes=load.item_bytes)
        )
        sink = stack.enter_context(NullSink(**load.sink))
        settings = {
            **source.settings,
            **sink.settings,
            "kclEndpoint": servers.source,
            "taskName": f"bench-{uuid.uuid4().hex[:8]}",
            **load.settings,
        }
        daemon = _daemon(folder / uuid.uuid4().hex, settings, bare=load.bare)
        stack.enter_context(daemon)
        counter = _Counter(source, "records") if load.bare else _Counter(sink, "items")
        stack.callback(counter.close)
        parts = _parts(daemon, source, sink, servers, load)
        first = f"a first record within {_FIRST_RECORD_SECONDS:.0f} s; {daemon.folder} has its logs"
        until(counter.read, first, seconds=_FIRST_RECORD_SECONDS, pause_seconds=_LOOK_SECONDS)
        return _watch(counter, parts, load)  # what runs is killed, for nobody needs its leases


def _daemon(folder: Path, settings: dict[str, str], *, bare: Path | None) -> Replicator:
    if bare is None:
        return Replicator(folder, settings)
    os.environ["BENCH_MESSAGES"] = str(bare)
    return Replicator(folder, settings, program=[sys.executable, "-I", "-m", "tests.bench.bare_daemon"])


def _watch(counter: _Counter, parts: Parts, load: Load) -> Course:
    course, total = Course(), load.records * load.shards
    deadline = time.monotonic() + load.limit_seconds
    while not course.samples or (course.samples[-1].done < total and time.monotonic() < deadline):
        done = counter.read()
        course.samples.append(look(counter.last_at if done >= total else time.monotonic(), done, parts))
        time.sleep(_LOOK_SECONDS)
    return course


def _parts(daemon: Replicator, source: ServerProcess, sink: ServerProcess, servers: Servers, load: Load) -> Parts:
    jvm = psutil.Process(daemon.process.pid)
    found: list[psutil.Process] = []

    def children() -> list[psutil.Process]:
        if len(found) < load.shards:  # each look goes through all processes of the machine
            found[:] = daemon.children() if load.bare is None else jvm.children()
        return found

    fixed = {
        "JVM": jvm,
        "source": psutil.Process(source.pid),
        "sink": psutil.Process(sink.pid),
        "checkpoints": server(servers.source),
    }
    return {
        "child": children,
        **{part: lambda process=process: [process] for part, process in fixed.items()},  # type: ignore[misc]
    }


class _Counter:
    """One of a server's counts, asked for over one connection."""

    def __init__(self, server: ServerProcess, name: str) -> None:
        self._connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=10)
        self._name = name
        self.last_at = 0.0

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def read(self) -> int:
        """As it is now."""
        self._connection.request("GET", "/")
        counts = json.load(self._connection.getresponse())
        self.last_at = counts.get("last_ns", 0) / 1e9
        return int(counts.get(self._name, 0))
