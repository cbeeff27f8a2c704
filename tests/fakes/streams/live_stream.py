"""A table's stream of as many open shards as a bench wants, nearly all quiet, in a process of its own.

A record is written to one shard by ``LiveStream.write``, and has the moment of that in its image: ``NullSink`` tells
from it how long each took. The simulator can do more, in the test's own process, and would be the
limit where hundreds of shards are read.
"""

from __future__ import annotations

import argparse
import http.client
import time
from types import TracebackType
from typing import TYPE_CHECKING

from tests.fakes.network.raw_http import serve
from tests.fakes.streams.served_stream import ServedStream, StreamProcess, insert

if TYPE_CHECKING:
    from typing_extensions import Self

# The attribute that has the moment of a write, in ns of the machine's monotonic clock: what reads it knows it by this.
WRITTEN_AT = "written_at_ns"
_FIRST_NUMBER = 4_421_584_500_000_000_000_000
_SHARD_STEP = 10**12


class LiveStream(StreamProcess):
    """The server, from outside; it counts its calls by name, and has in ``shards_read`` how many were read so far.

    :param shards: all open, all empty
    """

    def __init__(self, *, shards: int) -> None:
        super().__init__("tests.fakes.streams.live_stream", f"--shards={shards}")

    def __enter__(self) -> Self:
        super().__enter__()
        self._connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=30)
        return self

    def write(self, shard: int) -> None:
        """Add a record of a new item to the shard of that number."""
        self._connection.request("POST", "/", str(shard), {"X-Amz-Target": "Bench.Write"})
        self._connection.getresponse().read()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        super().__exit__(kind, error, trace)


class Live(ServedStream):
    """What it answers."""

    def __init__(self, *, shards: int) -> None:
        super().__init__(shards=shards)
        self._records: list[list[bytes]] = [[] for _ in range(shards)]
        self._unread = set(range(shards))
        self._calls["Write"] = self._write

    def length(self, shard: int) -> int:
        """What was written to it so far."""
        return len(self._records[shard])

    def number_at(self, shard: int, position: int) -> str:
        """One after the other."""
        return str(_FIRST_NUMBER + shard * _SHARD_STEP + position)

    def position_of(self, shard: int, sequence_number: str) -> int:
        """What ``number_at`` made it of."""
        return int(sequence_number) - int(self.number_at(shard, 0))

    def records(self, shard: int, position: int, most: int) -> tuple[int, bytes]:
        """Counts the shard as read, too."""
        self._unread.discard(shard)
        self.counts["shards_read"] = len(self._shards) - len(self._unread)
        found = self._records[shard][position : position + most]
        return len(found), b",".join(found)

    def _write(self, shard: int) -> bytes:
        records = self._records[shard]
        key = {"id": {"S": f"item-{shard:04d}-{len(records):06d}"}}
        item = {**key, WRITTEN_AT: {"N": str(time.monotonic_ns())}, "note": {"S": "x" * 150}}
        number = self.number_at(shard, len(records))
        records.append(insert(key=key, item=item, number=number, created=float(int(time.time())), size_bytes=200))
        return b"{}"


def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shards", type=int, required=True)
    serve(Live(shards=parser.parse_args().shards))


if __name__ == "__main__":
    main()
