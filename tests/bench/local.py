"""A drain from one DynamoDB Local into another, beside what that server takes from a loop that does nothing else."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from processor.commands.demo.workload import create_table
from processor.replication.plan import MAX_ITEMS_PER_CALL
from tests.bench.figures import Figures
from tests.bench.processes import Tree, exact_cpu_seconds, server
from tests.fakes.daemon.replicator import Replicator
from tests.scenarios.conftest import Pair, Servers

RUNS = 3
RECORDS = 20_000
ITEM_BYTES = 200
# Enough to keep DynamoDB Local busy: its writes are made one after the other.
THREADS = 8
_FIRST, _LAST = 0.1, 0.9
_HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20260101/eu-west-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}


def local(servers: Servers, folder: Path) -> Figures:
    """Records a second between a tenth and nine tenths of them; a first loop warms the destination's server."""
    figures: Figures = defaultdict(list)
    pair = Pair(servers)
    write(servers.source, pair.source_table, threads=1)  # once, for DynamoDB Local takes longer to keep a stream
    _loop(servers, pair)
    for _ in range(RUNS):
        loop = _loop(servers, pair)
        pair.destination_table = _made(pair)
        changed = {"destinationTable": pair.destination_table, "taskName": pair.destination_table}
        with Replicator(folder / uuid.uuid4().hex, pair.settings | changed) as running:
            rate, used_by = _replicated(pair, servers, running)
            used = Tree(running.process.pid).cpu().total()
            running.stop()
        figures["local: records/s"].append(rate)
        figures["local, bare loop: records/s"].append(loop)
        figures["local: share of the bare loop, %"].append(100 * rate / loop)
        figures["local: CPU of JVM and children, start included, µs/record"].append(used / RECORDS * 1e6)
        for part, seconds in used_by.items():
            figures[f"local: CPU of {part}, µs/record"].append(seconds / ((_LAST - _FIRST) * RECORDS) * 1e6)
    return figures


def _loop(servers: Servers, pair: Pair) -> float:
    return write(servers.destination, _made(pair), threads=THREADS)


def _made(pair: Pair) -> str:
    name = f"destination-{uuid.uuid4().hex[:8]}"
    create_table(pair.destination, name, stream=False)
    return name


def _replicated(pair: Pair, servers: Servers, running: Replicator) -> tuple[float, dict[str, float]]:
    """Records a second, and the CPU seconds of all who had a part in them."""
    moments, used = [], []
    for share in (_FIRST, _LAST, 1.0):
        pair.wait_for(_key(int(RECORDS * share) - 1))
        moments.append(time.monotonic())
        ours = Tree(running.process.pid).cpu()
        at_both_ends = {"the source": server(servers.source), "the destination": server(servers.destination)}
        used.append(
            {"the JVM": ours["JVM"], "the child": ours["others"]}
            | {part: exact_cpu_seconds(process.pid) for part, process in at_both_ends.items()}
        )
    return (
        (_LAST - _FIRST) * RECORDS / (moments[1] - moments[0]),
        {part: used[1][part] - used[0][part] for part in used[0]},
    )


def write(endpoint: str, table: str, *, threads: int) -> float:
    """Put the items there, by calls whose bodies are ready before the first.

    :returns: records a second between a tenth and nine tenths of them
    """
    bodies: SimpleQueue[bytes] = SimpleQueue()
    for body in _bodies(table):
        bodies.put(body)
    done: list[float] = []
    workers = [threading.Thread(target=_work, args=(endpoint, bodies, done)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(done) == RECORDS // MAX_ITEMS_PER_CALL
    return _rate(done)


def _rate(done: Sequence[float]) -> float:
    first, last = int(len(done) * _FIRST), int(len(done) * _LAST)
    return (last - first) * MAX_ITEMS_PER_CALL / (done[last - 1] - done[first - 1])


def _work(endpoint: str, bodies: SimpleQueue[bytes], done: list[float]) -> None:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=60)
    while True:
        try:
            body = bodies.get_nowait()
        except Empty:
            return
        while body:
            connection.request("POST", "/", body, _HEADERS)
            answer = connection.getresponse()
            content = json.load(answer)
            assert answer.status == http.HTTPStatus.OK, content
            undone = content.get("UnprocessedItems")
            body = json.dumps({"RequestItems": undone}).encode() if undone else b""
        done.append(time.monotonic())


def _bodies(table: str) -> Iterator[bytes]:
    for first in range(0, RECORDS, MAX_ITEMS_PER_CALL):
        keys = [_key(number) for number in range(first, first + MAX_ITEMS_PER_CALL)]
        filler = {"S": "x" * (ITEM_BYTES - len("id") - len(keys[0]) - len("filler"))}
        requests = [{"PutRequest": {"Item": {"id": {"S": key}, "filler": filler}}} for key in keys]
        yield json.dumps({"RequestItems": {table: requests}}).encode()


def _key(number: int) -> str:
    return f"item-{number:06d}"
