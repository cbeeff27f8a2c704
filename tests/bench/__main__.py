"""Measure the real daemon, and print medians with their spread.

A recorded source and a null sink, each a process of its own, with its own CPU told beside:
drain     one shard: records a second, CPU of JVM, child and servers; reading, decoding, writing alone (3 runs)
million   1,000,000 records of one shard: the same, and resident memory all the while
shards    1, 2, 4 and 8 shards, one daemon: records a second, memory (3 runs)
latency   a destination that answers after 0, 20, 80 and 200 ms (3 runs)
batch     batchSize 100, 250, 500 and 1000 (3 runs)
large     items of 400 KB: resident memory (3 runs)
child     CPU seconds from exec of a child to its first answer (10 starts)

DynamoDB Local at both ends:
local     20,000 records; beside it a bare loop of BatchWriteItem of the same items into the same server (3 runs)
start     command → first record at the destination: first start, after SIGTERM, after kill -9; its phases (5 of each)
lag       source write → readable at the destination, one write each 0.3 to 0.8 s at random, nothing else written;
          what the reads for it cost is in calls
memory    resident memory of the JVM and the child, idle and at the end of a drain; CPU of the drain without the start

A simulated source:
scale     eight shards, 1 to 2 to 4 daemons: until leases are even; a stop; a shard that rolls over
leases    500 leases and 16 daemons' lease layers in one JVM: until even; a dead one's held again; calls
failover  kill -9 of one of three daemons, ten times: until others write its shards
status    ./run.sh status on 500 shards
calls     calls a second of one daemon to stream, checkpoint table and destination, idle and written

A child's part alone:
twoway    two-way's child in each direction, fed with batches, into a null sink; beside it one way (5 runs); then, with
          DynamoDB Local at both ends, lag each way, and CPU of a daemon of both ways beside one of one (3 runs)
view      a record decoded, an item viewed: no view, filters, exclusions, masks, a hook (7 runs)

A quiet shard (quiet: all of these, and each figure's goal):
quiet-idle     one and nine shards that nobody writes: CPU, calls, memory
quiet-written  one and nine shards, each written ten times a second: CPU, calls, memory, lag
quiet-child    a child as the daemon starts it: CPU, time to its first answer (5 starts)
quiet-500      500 idle shards: start, CPU, memory; then one write a second to any of them: lag, CPU
quiet-200, -50 the same of fewer; not part of quiet

A daemon of many tasks:
many      50 tasks of one shard: start, CPU and memory, quiet; CPU and lag, each written once a second; one task more
          Goals: 20 s until all are read; quiet 1.5 GB and a quarter of a core; lag p95 0.5 s; 2 s for one task more
replicas  a backlog of 200,000 records to one destination and to five: records/s in all, reads of the stream (3 runs)
          Goals: 40,000 records/s in all; no more than 1.1 times the reads for one
fair      eight tasks; a ninth drains a backlog, or its destination throttles, is slow, doesn't answer: the eight's lag
          Goals: it is as without, as far as the CPU goes round; threads and memory are bounded

Recorded tables:
copy      a million items between tables that answer at once; how well a limit of units is held
verify    two equal tables of a million items, by all processes and by one, in one order and in others; 20 ms away, by
          one and by three, and by one machine and three (3 runs)

All share the machine with what serves them. CPU and memory are the OS's.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.bench import performance, quiet, quiet_goals, throughput, twoway, verify, view, waits
from tests.bench.calls import calls
from tests.bench.child import child
from tests.bench.copy import copy
from tests.bench.fair import fair
from tests.bench.figures import Bench, Row, machine, rows, show
from tests.bench.fleet import failover, scale
from tests.bench.leases import leases
from tests.bench.local import local
from tests.bench.many import many
from tests.bench.replicas import replicas
from tests.bench.start import start
from tests.bench.status import status
from tests.scenarios.conftest import Servers

BENCHES: dict[str, Bench] = {
    "drain": throughput.drained,
    "million": throughput.million,
    "shards": throughput.shards,
    "latency": throughput.latency,
    "batch": throughput.batch,
    "large": throughput.large,
    "child": child,
    "local": local,
    "start": start,
    "lag": waits.lag,
    "memory": waits.memory,
    "scale": scale,
    "failover": failover,
    "leases": leases,
    "status": status,
    "calls": calls,
    "quiet-idle": quiet.idle,
    "quiet-written": quiet.written,
    "quiet-child": quiet.child,
    "quiet-500": quiet.many,
    "quiet-200": quiet.two_hundred,
    "quiet-50": quiet.fifty,
    "many": many,
    "replicas": replicas,
    "fair": fair,
    "copy": copy,
    "verify": verify.verify,
    "twoway": twoway.twoway,
    "view": view.view,
}
# One name for several.
GROUPS: dict[str, tuple[str, ...]] = {"quiet": ("quiet-child", "quiet-idle", "quiet-written", "quiet-500")}


def main() -> None:
    """Run the named benches, or all."""
    parser = argparse.ArgumentParser(
        prog="./test.sh bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*BENCHES, *GROUPS, []],
        help="all, where none is named; --write alone: those of the page",
    )
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    parser.add_argument("--write", action="store_true", help="renew docs/performance.md with them, and its picture")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # daemons have sessions of their own
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")
    measured: dict[str, list[Row]] = {}
    with (
        tempfile.TemporaryDirectory() as temporary,
        DynamoDBLocal(log=Path(temporary) / "source.log") as source,
        DynamoDBLocal(log=Path(temporary) / "destination.log") as destination,
    ):
        for name in _benches(given.names, write=given.write):
            measured[name] = rows(BENCHES[name](Servers(source.endpoint, destination.endpoint), Path(temporary)))
            show(measured[name])
            if given.write:
                performance.renew(machine(), {name: measured[name]})
    quiet_goals.show(measured)
    view.show(measured)
    twoway.show(measured)
    verify.show(measured)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "benches": measured}, indent=2) + "\n")


def _benches(names: list[str], *, write: bool) -> list[str]:
    chosen = names or (performance.BENCHES if write else BENCHES)
    return [each for name in chosen for each in GROUPS.get(name, (name,))]


if __name__ == "__main__":
    main()
