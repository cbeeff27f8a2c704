"""What two-way costs: a real child of each direction, fed with batches, into a sink that keeps nothing.

Every write is a call of its own, with a condition that holds. The uplink has inserts of applications, of which
each is looked for at the hub and then written; or the mirror's own writes, which are passed over.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil
from rich.console import Console

from processor.dynamodb.keys import identity_of
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import Stamp
from tests.bench.figures import Figures, Row
from tests.bench.processes import cpu_seconds
from tests.fakes.daemon.fake_daemon import FakeDaemon
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.streams.stream_record import Item, StreamRecord, insert
from tests.fakes.task.tasks import task
from tests.scenarios.conftest import Servers

RUNS = 3
_ITEM_BYTES = 200
_RECORDS = 1000
_WARM_BATCHES, _BATCHES = 5, 30
# Records a second of one shard.
GOALS = {"mirror: records/s": 5000.0, "uplink: records/s": 3000.0}


def twoway(_: Servers, folder: Path) -> Figures:
    """Both directions; beside them one way in batches, as its write loop is without a daemon, and fenced."""
    figures: Figures = defaultdict(list)
    plain, marked = ([_record(number, marked=each) for number in range(_RECORDS)] for each in (False, True))
    for _run in range(RUNS):
        for name, records, changed in (
            ("one way, in batches", plain, {}),
            ("one way, fenced", plain, {"write_mode": "fenced"}),
            ("mirror", plain, {"two_way": True, "direction": "mirror"}),
            ("uplink", plain, {"two_way": True, "direction": "uplink"}),
            ("uplink, echoes", marked, {"two_way": True, "direction": "uplink"}),
        ):
            rate, cpu = _fed(folder, records, changed)
            figures[f"{name}: records/s"].append(rate)
            figures[f"{name}: CPU of child, µs/record"].append(cpu)
    return figures


def show(benches: dict[str, list[Row]]) -> None:
    """Whether the goals are met, if they were measured."""
    for row in benches.get("twoway", ()):
        if (goal := GOALS.get(row["figure"])) is not None:
            verdict = "met" if row["median"] >= goal else "MISSED"
            Console().print(f"{row['figure']}: {row['median']:,.0f}, goal {goal:,.0f}: {verdict}")


def _fed(folder: Path, records: Sequence[StreamRecord], changed: dict[str, object]) -> tuple[float, float]:
    place = folder / uuid.uuid4().hex
    place.mkdir()
    with NullSink() as sink:
        settings = msgspec.structs.replace(
            task(destinationEndpoint=sink.endpoint, sourceEndpoint=sink.endpoint, dontPublishCloudwatch="true"),
            **changed,
        )
        with FakeDaemon(settings, place) as daemon:
            daemon.initialize()
            line = daemon.batch(*records)
            for _batch in range(_WARM_BATCHES):
                _feed(daemon, line)
            process = psutil.Process(daemon.child.pid)
            began, used = time.monotonic(), cpu_seconds(process)
            for _batch in range(_BATCHES):
                _feed(daemon, line)
            seconds, cpu = time.monotonic() - began, cpu_seconds(process) - used
        is_written = records[0].data.find(b"_replication") < 0
        assert (sink.counts().get("items", 0) >= _BATCHES * len(records)) == is_written
    return _BATCHES * len(records) / seconds, cpu / (_BATCHES * len(records)) * 1e6


def _feed(daemon: FakeDaemon, line: bytes) -> None:
    """A batch, all of whose checkpoints are stored."""
    daemon.write(line)
    while (message := daemon.receive())["action"] == "checkpoint":
        daemon.send(**message, error=None)


def _record(number: int, *, marked: bool) -> StreamRecord:
    key: Item = {"id": {"S": f"item-{number:06d}"}}
    item = {**key, "customer": {"S": f"customer-{number:04d}"}, "total": {"N": f"{number + 1}.25"}}
    item["note"] = {"S": "x" * (_ITEM_BYTES - 70)}
    if marked:
        image = msgspec.Raw(msgspec.json.encode(item))
        identity = identity_of(msgspec.Raw(msgspec.json.encode(key)))
        stamp = Stamp(time.time_ns() // 1_000_000, b"nonce!")
        made = Markers("_replication").put(image, identity, sequence_number=number, stamp=stamp)
        item = json.loads(bytes(made))
    return insert(number, item)
