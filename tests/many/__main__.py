"""``./test.sh many``: three daemons of twenty tasks. Files come and go, a daemon dies, and a destination is away.

Twelve tasks have a table of their own on DynamoDB Local; eight replicate two simulated tables of two shards. Each
source is written all the time. In the end ``run.sh verify`` finds every destination equal to its source.
"""

from __future__ import annotations

import argparse
import itertools
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.startup import java
from tests.conftest import take_environment
from tests.fakes.daemon.machines import Machines
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.streams.stream_readers import StreamReaders
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.scenarios.conftest import Pair, Servers

_MACHINES = 3
_OWN_TABLES = 12
_SIMULATORS, _SHARDS, _REPLICAS = 2, 2, 4
_LATE = 4  # tasks whose files come later
_KEYS = 50
_PAUSE_SECONDS = 0.02


class Replica:
    """One task: its settings, how its source is written, and what its destination has."""

    def __init__(self, pair: Pair, settings: dict[str, str], put: Callable[[str, int], object]) -> None:
        self._pair = pair
        self.settings = settings
        self.put = put

    def has(self, key: str) -> bool:
        """Whether the destination has an item of that key."""
        answer = self._pair.destination.get_item(
            TableName=self.settings["destinationTable"], Key={"id": {"S": key}}, ConsistentRead=True
        )
        return "Item" in answer


class Scenario:
    """What happens, step by step; each says how long it took."""

    def __init__(self, stack: ExitStack, folder: Path, seed: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        source = stack.enter_context(DynamoDBLocal(log=folder / "source.log"))
        destination = stack.enter_context(DynamoDBLocal(log=folder / "destination.log"))
        self._servers = Servers(source.endpoint, destination.endpoint)
        self._away = stack.enter_context(FaultProxy(destination.endpoint))
        self._machines = stack.enter_context(Machines(folder, checkpoints=source.endpoint, common={}))
        self._simulators = [
            stack.enter_context(StreamsSimulator(shards=_SHARDS, seed=seed + number, table=f"simulated-{number}"))
            for number in range(_SIMULATORS)
        ]
        self._readers = [StreamReaders(simulator) for simulator in self._simulators]
        self._replicas = dict(self._make())
        self._marks = itertools.count()
        self._began = self._step_began = time.monotonic()

    def _make(self) -> Iterator[tuple[str, Replica]]:
        for number in range(_OWN_TABLES):
            pair = Pair(self._servers)
            yield (
                f"own-{number:02}",
                Replica(pair, dict(pair.settings), lambda key, n, pair=pair: pair.put(key, n={"N": str(n)})),
            )
        for (number, simulator), replica in itertools.product(enumerate(self._simulators), range(_REPLICAS)):
            pair = Pair(self._servers)
            settings = pair.settings | {"sourceTable": simulator.table, "sourceEndpoint": simulator.endpoint}

            def put(key: str, n: int, simulator: StreamsSimulator = simulator) -> object:
                return simulator.put({"id": {"S": key}, "n": {"N": str(n)}})

            yield f"replica-{number}-{replica}", Replica(pair, settings, put)

    def _say(self, what: str) -> None:
        now = time.monotonic()
        print(f"{now - self._began:6.1f} s  (+{now - self._step_began:5.1f})  {what}", flush=True)
        self._step_began = now

    def _leases(self) -> int:
        return sum(1 if name.startswith("own") else _SHARDS for name in self._machines.tasks)

    def _until_spread(self, machines: int) -> None:
        def spread() -> bool:
            return self._machines.is_spread(machines, leases_of_all=self._leases(), tolerance=0.5)  # of few

        until(spread, f"an even spread over {machines}: {self._machines.loads()}", pause_seconds=0.5)
        self._say(f"{self._leases()} leases are spread: {sorted(self._machines.loads().values())}, streams together")

    def _until_read_once(self) -> None:
        def is_read_once() -> bool:
            moment = time.monotonic()
            time.sleep(3.0)
            found = [reader for readers in self._readers for reader in readers.since(moment).values()]
            return [len(each) for each in found] == [1] * (_SIMULATORS * _SHARDS)

        until(is_read_once, "one reader of each shard")
        self._say(f"each shard of {_SIMULATORS} streams of {_REPLICAS} tasks has one reader")

    def _until_marked(self, names: Sequence[str]) -> float:
        """Until what is written now has arrived at these tasks' destinations; the last one's seconds."""
        mark = f"mark-{next(self._marks)}"
        for number, replica in enumerate(self._replicas[name] for name in names):
            for shard in range(8):  # of a simulator, each shard has some of them
                replica.put(f"{mark}-{shard}", number)
        began = time.monotonic()
        for name, shard in itertools.product(names, range(8)):
            until(lambda name=name, shard=shard: self._replicas[name].has(f"{mark}-{shard}"), f"{mark} of {name}")
        return time.monotonic() - began

    @contextmanager
    def _written(self) -> Iterator[None]:
        stop = threading.Event()

        def write() -> None:
            number = 0
            while not stop.wait(_PAUSE_SECONDS):
                number += 1
                name = self._random.choice(sorted(self._replicas))
                self._replicas[name].put(f"key-{self._random.randrange(_KEYS)}", number)

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        yield
        stop.set()
        thread.join()

    def run(self) -> None:
        """All of it."""
        names = list(self._replicas)
        late = names[:: _OWN_TABLES // 2][:_LATE]
        early = [name for name in names if name not in late]
        lonely = next(name for name in early if name.startswith("own"))
        self._replicas[lonely].settings["destinationEndpoint"] = self._away.endpoint
        for name in early:
            self._machines.write(name, self._replicas[name].settings)
        with self._written():
            machines = [self._machines.add().start() for _ in range(_MACHINES)]
            self._until_marked(early)
            self._say(f"{_MACHINES} daemons replicate {len(early)} tasks")
            self._until_spread(_MACHINES)
            for name in late:
                self._machines.write(name, self._replicas[name].settings)
            self._until_marked(late)
            self._say(f"files of {_LATE} more tasks have come, and are replicated")
            self._until_spread(_MACHINES)
            self._until_read_once()

            fault = self._away.inject(faults.error("ThrottlingException"))
            others = [name for name in names if name != lonely]
            self._until_marked(others)
            self._say("a destination is away: all others go on")
            machines[1].daemon.process.kill()
            machines[1].daemon.wait()
            longest = self._until_marked(others)
            self._say(f"a daemon is killed: the last of the others' marks arrived after {longest:.1f} s")
            going = others[:2]
            for name in going:
                self._machines.remove(name)
            until(lambda: all(machine.said("task_removed") >= 2 for machine in (machines[0], machines[2])), "removal")
            self._until_marked([name for name in others if name not in going])
            for name in going:
                self._machines.write(name, self._replicas[name].settings)
            self._until_marked(going)
            self._say("files of two tasks have gone and come back")
            before = self._machines.owners()
            machines[1].start()
            self._until_spread(_MACHINES)
            self._say(self._moves(before, machines[1].worker_ids))
            self._until_read_once()
            fault.clear()
            self._until_marked(names)
            self._say("the destination is back, and has caught up")
        self._verify(machines[0].conf)
        statuses = [machine.daemon.stop() for machine in machines]
        assert statuses == [0] * _MACHINES, statuses
        self._say("all daemons have stopped cleanly")

    def _moves(self, before: dict[tuple[str, str], str | None], joined: set[str]) -> str:
        after = self._machines.owners()
        moved = [after[each] for each in after if after[each] != before.get(each)]
        other = sum(owner not in joined for owner in moved)
        return f"it is started again: {len(moved)} leases moved, {other} of them between the others"

    def _verify(self, conf: Path) -> None:
        command = [str(java.ROOT / "run.sh"), "verify", str(conf)]

        def is_equal() -> bool:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            (self._folder / "verify.txt").write_text(done.stdout + done.stderr)
            return done.returncode == 0

        until(is_equal, f"all tables equal; {self._folder / 'verify.txt'}", pause_seconds=1.0)
        self._say(f"verify finds all {len(self._replicas)} tasks equal")


def main() -> None:
    """Run it; an assertion that fails ends it with 1."""
    parser = argparse.ArgumentParser(prog="./test.sh many", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of what is written")
    given = parser.parse_args()
    take_environment()
    folder = Path(tempfile.mkdtemp(prefix="many-"))
    print(f"Logs: {folder}", flush=True)
    with ExitStack() as stack:
        Scenario(stack, folder, given.seed).run()


if __name__ == "__main__":
    main()
