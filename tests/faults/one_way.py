"""A world whose source is simulated, so that its shards can end, and whose destination is DynamoDB Local's."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from processor.commands.demo.workload import scan
from tests.fakes.aws.accounts import KEEPER, READER, WRITER
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.dynamodb import refusing_table
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import Item
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.faults import checks
from tests.faults.cells import Kind
from tests.faults.world import BUCKET, Servers, World

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from tests.faults.world import Options

SHARDS = 2
_KEYS = tuple(f"key-{number}" for number in range(8))
_DELETED = _KEYS[-2:]  # every other time
_REFUSED = "refused"
_BACKLOG = {"plain": 2400}
_SMALLER_BACKLOG = 400
# What the task has more than any: few tests can wait for KCL's metrics for ten seconds.
_SETTINGS: dict[Kind, dict[str, str]] = {
    "plain": {},
    "item": {"writeMode": "item"},
    "roles": {"sourceRoleArn": READER, "destinationRoleArn": WRITER, "kclRoleArn": KEEPER},
    "metrics": {"dontPublishCloudwatch": "false", "metricsBufferTimeMillis": "1000"},
    "letters": {"onError": "deadLetter", "deadLetterUri": f"s3://{BUCKET}/here"},
}


class OneWay(World):
    """A task of one direction.

    :param settings: of the task, on top of what its kind has
    """

    def __init__(
        self,
        folder: Path,
        servers: Servers,
        kind: Kind,
        *,
        settings: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> None:
        suffix = uuid.uuid4().hex[:8]
        self.simulator = StreamsSimulator(shards=SHARDS, seed=1, table=f"source-{suffix}")
        destination = FaultProxy(servers.dynamodb)
        self.table = f"destination-{suffix}"
        self._writes = itertools.count(1)
        super().__init__(
            folder,
            servers,
            kind,
            sites={"stream": self.simulator, "source": self.simulator, "destination": destination},
            settings={
                "sourceTable": self.simulator.table,
                "sourceEndpoint": self.simulator.endpoint,
                "destinationTable": self.table,
                "destinationEndpoint": destination.endpoint,
                **_SETTINGS[kind],
                **(settings or {}),
            },
            **options,
        )

    def __enter__(self) -> Self:
        super().__enter__()
        refusing_table.create(self.local, self.table)
        self._stack.callback(self.local.delete_table, TableName=self.table)
        return self

    @property
    def source_table(self) -> str:
        """Its name."""
        return self.simulator.table

    def write(self) -> None:
        """A change of each of a few keys, in every shard: puts, and deletes now and then."""
        number = next(self._writes)
        for key in _KEYS:
            if key in _DELETED and number % 2:
                self.simulator.delete({"id": {"S": key}})
            else:
                self.simulator.put(_item(key, number))
        if self.kind == "letters":
            self.simulator.put(_item(f"{_REFUSED}-{number}", number) | {refusing_table.INDEXED: {"N": str(number)}})

    def write_many(self) -> None:
        """A backlog: a change of each of many keys at once."""
        number = next(self._writes)
        for count in range(_BACKLOG.get(self.kind, _SMALLER_BACKLOG)):
            self.simulator.put(_item(f"many-{count:05d}", number))

    def sides(self) -> Iterator[tuple[Mapping[str, Item], Mapping[str, Item]]]:
        """The source's items, without those that the destination refuses, and what it holds."""
        wanted = {key: item for key, item in self.simulator.items().items() if not key.startswith(_REFUSED)}
        yield wanted, scan(self.local, self.table)

    def unkept(self) -> list[str]:
        """Which refused changes have no letter."""
        if self.kind != "letters":
            return []
        names = self.names_in_bucket(f"here/{self.task}/")
        kept = {name.rpartition("/")[2].partition(".")[0] for name in names}
        refused = [event for event in self.simulator.history if event.key["id"]["S"].startswith(_REFUSED)]
        return [f"no letter of {event.key}" for event in refused if event.sequence_number not in kept]

    def open_shards(self) -> set[str]:
        """Their ids."""
        return {shard.id for shard in self.simulator.open_shards()}

    def passed_unapplied(self, daemon: Replicator) -> Iterator[str]:  # noqa: ARG002  # the protocol's
        """Changes whose shard's checkpoint has passed them."""
        history = [event for event in self.simulator.history if not event.key["id"]["S"].startswith(_REFUSED)]
        return checks.passed_unapplied(history, self.lease_rows(), scan(self.local, self.table))


def _item(key: str, number: int) -> Item:
    return {"id": {"S": key}, "write": {"N": str(number)}, "at": {"N": str(time.time_ns() // 1000)}}
