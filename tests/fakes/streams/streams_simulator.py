"""DynamoDB Streams on this machine, with as many shards as a test wants: they split, roll over, trim and end on demand.

DynamoDB Local has one open shard a table. This serves one table and its stream to unmodified AWS SDKs::

    with StreamsSimulator(shards=8, seed=1, table="source") as simulator:
        simulator.endpoint                          # of the table and of its stream
        simulator.put({"id": {"S": "a"}})           # -> the record's Event
        left, right = simulator.split()             # an open shard ends, and its children take its keys
        simulator.inject(faults.error("ThrottlingException"), "GetRecords", times=3)    # see faulty_server.py
        simulator.history, simulator.items()        # what a replica must have seen, and what it must hold

``python -m tests.fakes.streams.streams_simulator --help`` runs one alone.
"""

from __future__ import annotations

import argparse
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from tests.fakes.network.faulty_server import Answer, Exchange, FaultyServer
from tests.fakes.streams.simulated_errors import ApiError, invalid
from tests.fakes.streams.simulated_stream import Event, Shard, ViewType
from tests.fakes.streams.simulated_stream_calls import StreamCalls
from tests.fakes.streams.simulated_table import Table
from tests.fakes.streams.simulated_table_calls import TableCalls
from tests.fakes.streams.stream_record import Item

# Parameters that change nothing here.
_IGNORED = {"ConsistentRead", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "TableName"}
_JSON = {"Content-Type": "application/x-amz-json-1.0"}


class StreamsSimulator(FaultyServer):
    """Serves from entering the context to leaving it.

    :param shards: how many are open at first
    :param seed: of sequence numbers and shard ids
    :param table: the table's name; ``key``: its parts, each as ``name:type``
    :param replicas: the other regions, where the table is one of a global table
    :param clock: seconds since the epoch, for the 24 hours of records and the 15 minutes of iterators
    """

    def __init__(
        self,
        *,
        shards: int = 1,
        seed: int = 0,
        table: str = "source",
        key: Sequence[str] = ("id:S",),
        view_type: ViewType = "NEW_AND_OLD_IMAGES",
        region: str = "us-east-1",
        replicas: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.table = table
        self._table = Table(
            table,
            key=key,
            shards=shards,
            seed=seed,
            view_type=view_type,
            region=region,
            replicas=replicas,
            clock=clock,
        )
        self._stream_calls = StreamCalls(self._table, clock=clock)
        self._calls = {
            f"{calls.prefix}.{name}": call
            for calls in (TableCalls(self._table), self._stream_calls)
            for name, call in calls.by_name.items()
        }

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Do a call of the API; one with parameters that are not simulated is refused."""
        try:
            answer = Answer(200, self._call(f"{exchange.service}.{exchange.operation}", body), _JSON)
        except ApiError as exc:
            kind = f"com.amazonaws.dynamodb.v20120810#{exc.code}"
            answer = Answer(400, msgspec.json.encode({"__type": kind, "message": str(exc)}), _JSON)
        return answer

    def _call(self, target: str, body: bytes) -> bytes:
        if target not in self._calls:
            raise ApiError("UnknownOperationException", f"Not simulated: {target}")
        call, known = self._calls[target]
        content = msgspec.json.decode(body)
        unknown = content.keys() - known - _IGNORED
        if unknown:
            raise invalid(f"Not simulated: {', '.join(sorted(unknown))} of {target}")
        with self._table.lock:
            return call(content)

    # --- the table ---------------------------------------------------------------------------------------------------

    def put(self, item: Item) -> Event | None:
        """Write an item, as boto3 or the wire has it; returns its record, which there is if it changed anything."""
        return self._table.put(item)[1]

    def delete(self, key: Item, *, by_ttl: bool = False) -> Event | None:
        """Delete an item, by hand or as TTL does; returns its record, which there is if there was an item."""
        return self._table.delete(key, by_ttl=by_ttl)[1]

    def fill(self, records: int, *, item_bytes: int = 300, prefix: str = "fill-") -> None:
        """Insert that many new items of about that size, fast; the table's key must be one string.

        They take some 2.6 KB of memory each.
        """
        (part,) = self._table.key
        filler = {"S": "x" * max(item_bytes - 40, 0)}
        self._table.put_new(
            {part.name: {"S": f"{prefix}{number:08d}"}, "write": {"N": str(number)}, "filler": filler}
            for number in range(1, records + 1)
        )

    def items(self) -> dict[Any, Item]:
        """The items as boto3 gives them, by the value of their key (a tuple of values, where it has two parts)."""
        return self._table.items()

    @property
    def history(self) -> list[Event]:
        """Every record there ever was, in the order in which the changes were made."""
        with self._table.lock:
            return list(self._table.history)

    # --- its stream --------------------------------------------------------------------------------------------------

    @property
    def stream_arn(self) -> str:
        """The newest stream's, whether it is on or not."""
        return self._table.latest_stream_arn

    def shards(self) -> list[Shard]:
        """The newest stream's shards, by age, without those that have expired."""
        with self._table.lock:
            return self._table.newest.shards

    def open_shards(self) -> list[Shard]:
        """Those that take records, by range."""
        with self._table.lock:
            return self._table.newest.open_shards

    def split(self, shard_id: str | None = None) -> list[Shard]:
        """End an open shard, by default the one with the most keys; its two children share its keys."""
        return self._table.split(shard_id)

    def roll_over(self, shard_id: str | None = None) -> Shard:
        """End an open shard, by default the oldest; a child takes its keys."""
        return self._table.roll_over(shard_id)

    def trim(self, shard_id: str | None = None, *, records: int | None = None, before: float | None = None) -> int:
        """Drop the oldest records of a shard, by default of each: so many, or those made before then; else all.

        :returns: how many
        """
        return self._table.trim(shard_id, records=records, before=before)

    def limit_reads(self, per_second: int | None) -> None:
        """Refuse GetRecords of a shard beyond that many a second, as AWS does with too many readers; None ends it."""
        self._stream_calls.reads_per_second = per_second

    def expire(self, shard_id: str) -> None:
        """Drop a closed shard, as 24 hours do."""
        self._table.expire(shard_id)

    def disable_stream(self) -> None:
        """Turn the stream off; what it has can still be read."""
        self._table.disable_stream()

    def delete_stream(self) -> None:
        """Remove the stream, and those before it, as 24 hours after turning it off do."""
        self._table.delete_streams()

    def recreate_stream(self, *, shards: int = 1, view_type: ViewType | None = None) -> str:
        """Turn a new stream on, after turning the old one off if need be; returns its ARN."""
        with self._table.lock:
            if self._table.stream is not None:
                self._table.disable_stream()
            return self._table.enable_stream(shards=shards, view_type=view_type).arn


def changes(seed: int, *, keys: int = 1000) -> Iterator[tuple[str, Item]]:
    """An endless workload: a put of an item or, one in five times, a delete of a key."""
    draw = random.Random(seed)
    for number in itertools.count(1):
        key: Item = {"id": {"S": f"key-{draw.randrange(keys):06d}"}}
        if draw.random() < 0.2:
            yield "delete", key
        else:
            yield "put", {**key, "write": {"N": str(number)}, "filler": {"S": "x" * draw.randrange(200, 400)}}


def main() -> None:
    """Serve until Ctrl-C, and write to the table meanwhile."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.streams.streams_simulator", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen; by default anywhere that is free")
    parser.add_argument(
        "--table", default="source", help="the table's name (default: source); its key is the string id"
    )
    parser.add_argument("--shards", type=int, default=4, help="open at first (default: 4)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    parser.add_argument("--fill", type=int, default=0, help="items to be there from the start (default: 0)")
    parser.add_argument("--rate", type=float, default=0.0, help="writes a second (default: 0)")
    parser.add_argument(
        "--roll-over-seconds", type=float, default=0.0, help="how often a shard rolls over (default: never)"
    )
    given = parser.parse_args()
    stop = threading.Event()
    with StreamsSimulator(shards=given.shards, seed=given.seed, table=given.table, port=given.port) as simulator:
        simulator.fill(given.fill)
        print(f"table {simulator.table} at {simulator.endpoint}, stream {simulator.stream_arn}", flush=True)
        try:
            _write(simulator, given.rate, given.roll_over_seconds, given.seed, stop)
        except KeyboardInterrupt:
            print(f"{len(simulator.history)} records in {len(simulator.shards())} shards")


def _write(
    simulator: StreamsSimulator, rate: float, roll_over_seconds: float, seed: int, stop: threading.Event
) -> None:
    began = time.monotonic()
    rolled = 0
    for written, (kind, item) in enumerate(changes(seed)):
        while written >= (time.monotonic() - began) * rate:
            stop.wait(0.01)
            if roll_over_seconds and (time.monotonic() - began) / roll_over_seconds >= rolled + 1:
                simulator.roll_over()
                rolled += 1
        simulator.put(item) if kind == "put" else simulator.delete(item)


if __name__ == "__main__":
    main()
