"""A simulated source of several shards, a destination behind a proxy, and daemons as if on machines of their own."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from processor.commands.demo.workload import create_table, scan
from processor.startup import java
from processor.state import leases
from processor.state.leases import SHARD_END, Lease
from tests.fakes.daemon import start_probe
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network.fault_proxy import FaultProxy, Write
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.streams.simulated_stream import Event
from tests.fakes.streams.stream_record import Item
from tests.fakes.streams.streams_simulator import StreamsSimulator

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

_BEAT_SECONDS = 0.1
_MICROSECONDS = 1_000_000


class Fleet:
    """Serves from entering the context to leaving it, which ends the daemons that still run.

    :param checkpoints: endpoint of the checkpoint table's server; ``destination``: of the destination's
    :param settings: of the task, on top of what it needs
    :param clock: the source's, in seconds since the epoch
    """

    def __init__(
        self,
        folder: Path,
        *,
        checkpoints: str,
        destination: str,
        shards: int = 8,
        settings: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        suffix = uuid.uuid4().hex[:8]
        self.simulator = StreamsSimulator(shards=shards, seed=1, clock=clock)
        self.proxy = FaultProxy(destination)
        self.daemons: list[Replicator] = []
        self.destination_table = f"destination-{suffix}"
        self.source: DynamoDBClient = boto3.client(
            "dynamodb", region_name="us-east-1", endpoint_url=self.simulator.endpoint
        )
        self._folder = folder / suffix
        self._checkpoints: DynamoDBClient = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=checkpoints)
        self._destination: DynamoDBClient = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=destination)
        self._stack = ExitStack()
        create_table(self._destination, self.destination_table, stream=False)
        self.settings = {
            "sourceRegion": "us-east-1",
            "sourceTable": self.simulator.table,
            "sourceEndpoint": self.simulator.endpoint,
            "destinationRegion": "eu-west-1",
            "destinationTable": self.destination_table,
            "destinationEndpoint": self.proxy.endpoint,
            "kclEndpoint": checkpoints,
            "taskName": f"task-{suffix}",
            **(settings or {}),
        }

    def __enter__(self) -> Self:
        self._stack.enter_context(self.simulator)
        self._stack.enter_context(self.proxy)
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self.daemons:
            daemon.__exit__()
        self._stack.close()

    def start(self, *, root: Path = java.ROOT, access_key: str = "fleet", **changed: str) -> Replicator:
        """One more daemon, with ``changed`` settings of its own, from the checkout ``root``, which signs as told."""
        daemon = Replicator(self._folder / f"machine-{len(self.daemons) + 1}", self.settings | changed, root=root)
        self.daemons.append(daemon)
        return daemon.start(environment={"AWS_ACCESS_KEY_ID": access_key})

    # --- leases ------------------------------------------------------------------------------------------------------

    @property
    def checkpoint_table(self) -> str:
        """KCL's lease table."""
        return f"DynamoDBCrossRegionReplication{self.settings['taskName']}"

    def all_leases(self) -> list[Lease]:
        """Those of shards that are done, too."""
        return leases.read(self._checkpoints, self.checkpoint_table) or []

    def leases(self) -> list[Lease]:
        """Those of shards that are not done."""
        return [lease for lease in self.all_leases() if lease.checkpoint != SHARD_END]

    def lease(self, shard_id: str) -> Lease | None:
        """A shard's, done or not; None while it has none."""
        return next((lease for lease in self.all_leases() if lease.shard_id == shard_id), None)

    def owner(self, daemon: Replicator) -> str | None:
        """The daemon's worker id, from its properties."""
        for file in daemon.log_directory.glob("*/daemon.properties"):
            lines = file.read_text(encoding="latin-1").splitlines()
            return next(line.partition("=")[2] for line in lines if line.startswith("workerId="))
        return None

    def forget(self, shard_id: str) -> None:
        """Delete a shard's lease from the checkpoint table."""
        self._checkpoints.delete_item(TableName=self.checkpoint_table, Key={"leaseKey": {"S": shard_id}})

    def forget_task(self) -> None:
        """Delete the row that says what the task replicates, and since when, as if another program had begun it."""
        self._checkpoints.delete_item(TableName=f"{self.checkpoint_table}-Task", Key={"name": {"S": "task"}})

    def set_checkpoint(self, shard_id: str, checkpoint: str) -> None:
        """Put a place, or a word of KCL's, into a shard's lease as its checkpoint."""
        self._checkpoints.update_item(
            TableName=self.checkpoint_table,
            Key={"leaseKey": {"S": shard_id}},
            UpdateExpression="SET #checkpoint = :to",
            ExpressionAttributeNames={"#checkpoint": "checkpoint"},
            ExpressionAttributeValues={":to": {"S": checkpoint}},
        )

    def shards_of(self, daemon: Replicator) -> set[str]:
        """The shards it has leases of, done ones left out."""
        return {lease.shard_id for lease in self.leases() if lease.owner == self.owner(daemon)}

    def spread(self) -> Counter[str | None]:
        """Leases by owner; None for those that nobody has."""
        return Counter(lease.owner for lease in self.leases())

    def wait_even(self, daemons: int, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Until so many daemons have the leases, each as many as any other, or one more."""

        def even() -> bool:
            spread = self.spread()
            return None not in spread and len(spread) == daemons and max(spread.values()) - min(spread.values()) <= 1

        until(even, f"an even spread over {daemons} daemons", seconds=seconds, pause_seconds=0.2)

    def replicated(self, key: str) -> Item | None:
        """The destination's item of that key."""
        answer = self._destination.get_item(
            TableName=self.destination_table, Key={"id": {"S": key}}, ConsistentRead=True
        )
        return answer.get("Item")

    def wait_equal(self, *, ignoring: str = "", seconds: float = PATIENCE_SECONDS) -> None:
        """Until the destination holds what the source does, but for the attribute ``ignoring``."""

        def equal() -> bool:
            found = scan(self._destination, self.destination_table)
            for item in found.values():
                item.pop(ignoring, None)
            return self.simulator.items() == found

        until(
            equal,
            "source = destination",
            seconds=seconds,
            pause_seconds=0.2,
        )


class Beats:
    """One key in each shard, written ten times a second with the moment of the write, by ``time.monotonic()``."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.keys: dict[str, str] = {}  # by the shard that was open at the beginning
        for number in itertools.count():
            event = fleet.simulator.put(_beat(f"beat-{number}"))
            assert event is not None
            self.keys.setdefault(event.shard_id, f"beat-{number}")
            if len(self.keys) == len(fleet.simulator.open_shards()):
                break
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beats", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_BEAT_SECONDS):
            for key in list(self.keys.values()):
                self._fleet.simulator.put(_beat(key))

    def wait_replicated(self, keys: Iterable[str], *, since: float, seconds: float = PATIENCE_SECONDS) -> float:
        """Until the destination has a beat of each of these keys that was written after ``since``.

        :returns: the longest that one of them took, in seconds from ``since``
        """
        missing, arrived, position = set(keys), [0.0], 0

        def all_there() -> bool:
            nonlocal position
            writes = self._fleet.proxy.writes[position:]
            position += len(writes)
            for write in writes:
                key = write.key["id"]["S"]
                if key in missing and write.item and int(write.item["at"]["N"]) > since * _MICROSECONDS:
                    missing.discard(key)
                    arrived.append(write.at - since)
            return not missing

        until(all_there, f"new writes of {missing}", seconds=seconds, pause_seconds=0.05)
        return max(arrived)


def _beat(key: str) -> Item:
    # A whole number, for DynamoDB drops a fraction's last zeros, and the simulator doesn't.
    return {"id": {"S": key}, "at": {"N": str(int(time.monotonic() * _MICROSECONDS))}}


def out_of_order(history: Iterable[Event], writes: Iterable[Write]) -> list[Any]:
    """The writes of keys which, one after the other, are not what the source went through, with gaps or without.

    A write whose client gave up waiting doesn't count: it is made again. Nor does the start's own look whether it may
    write, which changes nothing.
    """
    versions: dict[str, list[Item | None]] = defaultdict(list)
    for event in history:
        versions[event.key["id"]["S"]].append(event.item)
    found = []
    for write in (each for each in writes if each.heard and not _is_look(each)):
        later = versions[write.key["id"]["S"]]
        if write.item in later:
            del later[: later.index(write.item) + 1]
        else:
            found.append((write.key, write.item))
    return found


def _is_look(write: Write) -> bool:
    return str(write.key["id"]["S"]).startswith(start_probe.PREFIX)
