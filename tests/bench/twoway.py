"""What two-way costs, beside one way in the same run; and how late each side is.

``twoway``: a real child of each direction, fed with batches, into a sink that keeps nothing. Every write is a call of
its own, with a condition that holds. The uplink has inserts of applications, of which each is looked for at the hub and
then written; or the mirror's own writes, which are passed over.

``both_ways``: real daemons between two DynamoDB Locals. Of each run a daemon of one direction and a two-way one, one
after the other, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
from rich.console import Console

from processor.commands.demo.workload import LagProbe
from processor.dynamodb.keys import identity_of
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import Stamp
from tests.bench.figures import Figures, Row
from tests.bench.processes import Tree, exact_cpu_seconds
from tests.fakes.daemon.direction_probe import DirectionProbe
from tests.fakes.daemon.fake_daemon import FakeDaemon
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.dynamodb.null_sink import NullSink
from tests.fakes.patience import until
from tests.fakes.streams.stream_record import Item, StreamRecord, insert
from tests.fakes.task.tasks import task
from tests.scenarios.conftest import Pair, Servers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RUNS = 5
_ITEM_BYTES = 200
_RECORDS = 1000
_WARM_BATCHES, _BATCHES = 5, 30
# Of one shard: records a second at least, seconds at most.
GOALS = {"mirror: records/s": 5000.0, "uplink: records/s": 3000.0}
LAGS = {"median": 0.15, "p95": 0.3}
_LAG_SAMPLES = 100
_WHOLE_RUNS = 3
_WHOLE_RECORDS = 2000
_WRITERS = 4
# What the mirror has written passes through the uplink, too, which nothing shows.
_ECHOES_SECONDS = 0.5
CPU = "CPU of child, µs/record"
_WHOLE_CPU = "CPU of JVM and children, µs/record"


def twoway(servers: Servers, folder: Path) -> Figures:
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
            figures[f"{name}: {CPU}"].append(cpu)
    for name in ("mirror", "uplink", "uplink, echoes"):
        for other in ("in batches", "fenced"):
            figures[f"{name}: CPU of child, times one way's {other}"] = [
                ours / theirs
                for ours, theirs in zip(figures[f"{name}: {CPU}"], figures[f"one way, {other}: {CPU}"], strict=True)
            ]
    return figures | both_ways(servers, folder)


def both_ways(servers: Servers, folder: Path) -> Figures:
    """Lag each way, and CPU of the whole daemon for each write of an application's at the hub, and at the spoke."""
    figures: Figures = defaultdict(list)
    for run in range(_WHOLE_RUNS):
        one = Pair(servers)
        with Replicator(folder / uuid.uuid4().hex, one.settings) as running:
            one.put("first")
            one.wait_for("first")
            figures[f"one way: {_WHOLE_CPU}"].append(_burst(running, one, there=False))
            running.stop()
        pair = Pair(servers)
        pair.destination.update_table(
            TableName=pair.destination_table,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        conflicts = f"file://{folder / uuid.uuid4().hex}.jsonl"
        settings = pair.settings | {"twoWay": "true", "conflictUri": conflicts}
        with Replicator(folder / uuid.uuid4().hex, settings) as running:
            hub, spoke = (pair.source, pair.source_table), (pair.destination, pair.destination_table)
            DirectionProbe(hub, spoke).wait()
            if run == 0:
                figures |= _lags(pair)
            figures[f"two-way, written at the hub: {_WHOLE_CPU}"].append(_burst(running, pair, there=False))
            figures[f"two-way, written at the spoke: {_WHOLE_CPU}"].append(_burst(running, pair, there=True))
            running.stop()
    for side in ("hub", "spoke"):
        figures[f"two-way, written at the {side}: CPU of JVM and children, times one way's"] = [
            ours / theirs
            for ours, theirs in zip(
                figures[f"two-way, written at the {side}: {_WHOLE_CPU}"], figures[f"one way: {_WHOLE_CPU}"], strict=True
            )
        ]
    return figures


def _lags(pair: Pair) -> Figures:
    """Write to readable at the other side, each way by itself."""
    hub, spoke = (pair.source, pair.source_table), (pair.destination, pair.destination_table)
    figures: Figures = {}
    for name, (ours, theirs) in {"hub to spoke": (hub, spoke), "spoke to hub": (spoke, hub)}.items():
        probe = LagProbe(*ours, *theirs)
        probe.start()
        until(lambda: len(probe.samples_seconds()) >= _LAG_SAMPLES, "samples", seconds=_LAG_SAMPLES * 2)  # noqa: B023
        probe.stop()
        figures[f"lag, {name}, s"] = probe.samples_seconds()
    return figures


def _burst(running: Replicator, pair: Pair, *, there: bool) -> float:
    """µs of CPU of the daemon's processes for each item, put one by one, until all are at the other side and back.

    :param there: write at the destination
    """
    run = uuid.uuid4().hex
    ours, theirs = (pair.source, pair.source_table), (pair.destination, pair.destination_table)
    if there:
        ours, theirs = theirs, ours
    before = [_count(*side) for side in (ours, theirs)]
    began = sum(Tree(running.process.pid).cpu().values())

    def put(number: int) -> None:
        item: Any = {"id": {"S": f"{run}-{number:06d}"}, "note": {"S": "x" * (_ITEM_BYTES - 50)}}
        ours[0].put_item(TableName=ours[1], Item=item)

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(put, range(_WHOLE_RECORDS)))
    until(lambda: _count(*theirs) >= before[1] + _WHOLE_RECORDS, "all at the other side", pause_seconds=0.25)
    if there:  # each comes back with its marker
        until(lambda: _unmarked(*ours, run) == 0, "all back, with markers", pause_seconds=0.25)
    time.sleep(_ECHOES_SECONDS)
    return (sum(Tree(running.process.pid).cpu().values()) - began) / _WHOLE_RECORDS * 1e6


def _count(client: DynamoDBClient, table: str) -> int:
    return sum(page["Count"] for page in client.get_paginator("scan").paginate(TableName=table, Select="COUNT"))


def _unmarked(client: DynamoDBClient, table: str, run: str) -> int:
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        Select="COUNT",
        FilterExpression="begins_with(id, :run) AND attribute_not_exists(#m)",
        ExpressionAttributeNames={"#m": "_replication"},
        ExpressionAttributeValues={":run": {"S": run}},
    )
    return sum(page["Count"] for page in pages)


def show(benches: dict[str, list[Row]]) -> None:
    """Whether the goals are met, if they were measured."""
    for row in benches.get("twoway", ()):
        if (goal := GOALS.get(row["figure"])) is not None:
            verdict = "met" if row["median"] >= goal else "MISSED"
            Console().print(f"{row['figure']}: {row['median']:,.0f}, goal {goal:,.0f}: {verdict}")
        if row["figure"].startswith("lag, "):
            for column, goal in LAGS.items():
                verdict = "met" if row[column] <= goal else "MISSED"
                Console().print(f"{row['figure']}, {column}: {row[column]:.3f}, goal {goal}: {verdict}")


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
            began, used = time.monotonic(), exact_cpu_seconds(process.pid)
            for _batch in range(_BATCHES):
                _feed(daemon, line)
            seconds, cpu = time.monotonic() - began, exact_cpu_seconds(process.pid) - used
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
