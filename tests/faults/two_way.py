"""A world whose two tables are both written to: a hub and a spoke, both of them DynamoDB Local's.

Some keys are written at the hub alone, some at the spoke alone: these must end as they were written last, on both
sides. (A key at the spoke is written again when its change is back: before that it may meet a conflict with itself.)
Others are written at both at once: what has not got to the hub must be kept as a conflict.
"""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from processor.commands.demo.workload import create_table, scan
from tests.fakes.daemon.direction_probe import DirectionProbe
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import Item
from tests.faults.cells import Kind
from tests.faults.scene import BrokenError, rest
from tests.faults.world import BUCKET, Servers, World

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from tests.faults.world import Options

_MARKER = "_replication"
_SIDES = ("hub", "spoke")
_KEYS_OF_A_SIDE = 6
_DELETED = {4, 5}  # every other time
_KEYS_OF_BOTH = 4
_BACKLOG_OF_A_SIDE = 150


class TwoWay(World):
    """A task with ``twoWay=true`` whose directions have begun: what the spoke is written before goes nowhere."""

    def __init__(self, folder: Path, servers: Servers, kind: Kind, **options: Unpack[Options]) -> None:
        suffix = uuid.uuid4().hex[:8]
        self.hub = FaultProxy(servers.dynamodb)
        spoke = FaultProxy(servers.dynamodb)
        self._tables = {side: f"{side}-{suffix}" for side in _SIDES}
        self._streams = boto3.client("dynamodbstreams", region_name="eu-west-1", endpoint_url=servers.dynamodb)
        self._writes = itertools.count(1)
        self._wanted: dict[str, Item] = {}
        self._at_once: dict[str, Item] = {}  # the spoke's last write of each key that both write
        self._kept: dict[str, Item] = {}  # what the entries say of the spoke's writes
        super().__init__(
            folder,
            servers,
            kind,
            sites={"hub": self.hub, "spoke": spoke},
            settings={
                "sourceTable": self._tables["hub"],
                "sourceEndpoint": self.hub.endpoint,
                "destinationTable": self._tables["spoke"],
                "destinationEndpoint": spoke.endpoint,
                "twoWay": "true",
                "conflictUri": f"s3://{BUCKET}/conflicts",
            },
            **options,
        )

    def __enter__(self) -> Self:
        super().__enter__()
        for table in self._tables.values():
            create_table(self.local, table, stream=True)
            self._stack.callback(self.local.delete_table, TableName=table)
        first = self.make()
        self.start(first)
        probe = DirectionProbe(*[(self.local, table) for table in self._tables.values()])
        probe.wait()
        probe.remove()
        first.stop()
        self.daemons.clear()
        return self

    @property
    def source_table(self) -> str:
        """The hub's name."""
        return self._tables["hub"]

    # --- Applications ------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """A change of each of a few keys of either side, puts, and deletes now and then; one key at both at once."""
        number = next(self._writes)
        for side, each, key in self._due("", _KEYS_OF_A_SIDE):
            if each in _DELETED and number % 2:
                self._wanted.pop(key, None)
                self.local.delete_item(TableName=self._tables[side], Key={"id": {"S": key}})
            else:
                self._wanted[key] = self._put(side, key, number)
        key = f"both-{number % _KEYS_OF_BOTH}"
        self._put("hub", key, number)
        self._at_once[key] = self._put("spoke", key, number)

    def _due(self, prefix: str, count: int) -> Iterator[tuple[str, int, str]]:
        """Side, number and name of each key of one side that may be written now."""
        spoke = scan(self.local, self._tables["spoke"])
        for each in range(count):
            for side in _SIDES:
                key = f"{prefix}{side}-{each:03d}"
                if side == "hub" or self._is_back(key, spoke.get(key)):
                    yield side, each, key

    def _is_back(self, key: str, item: Item | None) -> bool:
        """Whether what was written at the spoke last has been to the hub: the mirror has put its marker on it."""
        if item is None:
            return key not in self._wanted
        return _MARKER in item and _unmarked(item) == self._wanted.get(key)

    def write_many(self) -> None:
        """A backlog of either side."""
        number = next(self._writes)
        for side, _, key in self._due("many-", _BACKLOG_OF_A_SIDE):
            self._wanted[key] = self._put(side, key, number)

    def _put(self, side: str, key: str, number: int) -> Item:
        item: Item = {
            "id": {"S": key},
            "write": {"N": str(number)},
            "whose": {"S": side},
            "at": {"N": str(time.time_ns() // 1000)},
        }
        self.local.put_item(TableName=self._tables[side], Item=item)
        return item

    # --- What has come of it -----------------------------------------------------------------------------------------

    def sides(self) -> Iterator[tuple[Mapping[str, Item], Mapping[str, Item]]]:
        """Of the keys that both write, the hub's items."""
        hub, spoke = (scan(self.local, table) for table in self._tables.values())
        wanted = self._wanted | {key: hub.get(key, item) for key, item in self._at_once.items()}
        yield wanted, hub
        yield wanted, {key: _unmarked(item) for key, item in spoke.items()}

    def unkept(self) -> list[str]:
        """The spoke's last writes that have neither got to the hub nor been kept as conflicts."""
        arrived = {_name(write.item) for write in list(self.hub.writes) if write.item is not None}
        missing = {key: item for key, item in self._at_once.items() if _name(item) not in arrived}
        if missing:
            self._read_entries()
        return [f"no conflict of {key}" for key, item in missing.items() if item not in self._kept.values()]

    def _read_entries(self) -> None:
        for name in self.names_in_bucket(f"conflicts/{self.task}"):
            if name not in self._kept:
                entry = json.loads(self.bucket.get_object(Bucket=BUCKET, Key=name)["Body"].read())
                self._kept[name] = _unmarked(entry["spokeImage"] or {})

    def open_shards(self) -> set[str]:
        """Of both streams."""
        return {each for table in self._tables.values() for each in self._open_shards(table)}

    def _open_shards(self, table: str) -> Iterator[str]:
        arn = self.local.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        for shard in self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]:
                yield shard["ShardId"]

    def passed_unapplied(self, daemon: Replicator) -> Iterator[str]:
        """Nothing of it comes when the daemon is started again."""
        self.start(daemon)
        try:
            rest(self, [daemon])
        except BrokenError as exc:
            yield f"when it was started again: {exc}"
        daemon.stop()

    def lease_rows(self) -> dict[str, dict[str, Any]]:
        """Of both directions."""
        return super().lease_rows() | self.rows_of(f"{self.lease_table}-Uplink")


def _unmarked(item: Mapping[str, Any]) -> Item:
    return {name: value for name, value in item.items() if name != _MARKER}


def _name(item: Mapping[str, Any]) -> str:
    """Of a write: no two have the same moment."""
    return json.dumps(item.get("at"))
