"""A table's stream of recorded pages, in a process of its own: as many records as a bench wants, at next to no cost.

A block of records is encoded once, and its number put in when it is read; so millions take no memory, and any page is
found from its place alone. Each record is an INSERT of a new key, as DynamoDB Streams answers it on the wire. A shard
stays open: after its last record come empty pages.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from tests.fakes.dynamodb.attribute_values import size_bytes
from tests.fakes.network.raw_http import serve
from tests.fakes.streams.served_stream import MAX_PAGE_RECORDS, ServedStream, StreamProcess, insert

# GetRecords' limit (API reference).
MAX_PAGE_BYTES = 2**20
_FIRST_NUMBER = b"4421584500"
_MARK = b"@@@@@@@@"  # a shard's number of two digits, and its block's of six


class RecordedStream(StreamProcess):
    """The server, from outside; it counts ``records`` that it gave, and has the last one's moment in ``last_ns``.

    :param records: of each shard
    :param item_bytes: of each new image, as DynamoDB counts
    :param repeated: the share of a page's records that have the key of another one of it
    """

    def __init__(self, *, records: int, shards: int = 1, item_bytes: int = 200, repeated: float = 0) -> None:
        super().__init__(
            "tests.fakes.streams.recorded_stream",
            f"--shards={shards}",
            f"--records={records}",
            f"--item-bytes={item_bytes}",
            f"--repeated={repeated}",
        )


class Recording(ServedStream):
    """What it answers; a position is that of a block, and of a record in it."""

    def __init__(self, *, shards: int, records: int, item_bytes: int, repeated: float) -> None:
        super().__init__(shards=shards)
        self._records = records
        self._block = _block(item_bytes, repeated)
        self._templates: dict[tuple[int, int], bytes] = {}

    def length(self, shard: int) -> int:  # noqa: ARG002  # all are of one length
        """The same for each."""
        return self._records

    def number_at(self, shard: int, position: int) -> str:
        """Of the shard, the block and the place in it."""
        block, index = divmod(position, len(self._block))
        return f"{_FIRST_NUMBER.decode()}{shard:02d}{block:06d}{index:04d}"

    def position_of(self, shard: int, sequence_number: str) -> int:  # noqa: ARG002  # it is in the number
        """What ``number_at`` made it of."""
        return int(sequence_number[-10:-4]) * len(self._block) + int(sequence_number[-4:])

    def records(self, shard: int, position: int, most: int) -> tuple[int, bytes]:
        """As far as the block goes, which DynamoDB may do, too."""
        block, first = divmod(position, len(self._block))
        count = min(most, len(self._block) - first, self._records - position)
        if count <= 0:
            return 0, b""
        self.counts["records"] += count
        self.counts["last_ns"] = time.monotonic_ns()
        return count, self._template(first, count).replace(_MARK, b"%02d%06d" % (shard, block))

    def _template(self, first: int, count: int) -> bytes:
        found = self._templates.get((first, count))
        if found is None:
            found = self._templates[first, count] = b",".join(self._block[first : first + count])
        return found


def _block(item_bytes: int, repeated: float) -> list[bytes]:
    """The records of a page as large as can be, with a mark for the block's number."""
    count = max(1, min(MAX_PAGE_RECORDS, MAX_PAGE_BYTES // item_bytes))
    distinct = max(1, count - round(count * repeated))
    mark, now = _MARK.decode(), float(int(time.time()))  # a record of long ago would be warned about
    records = []
    for index in range(count):
        key = {"id": {"S": f"{mark}-{index % distinct:04d}"}}
        item: dict[str, Any] = {**key, "customer": {"S": f"customer-{index:04d}"}, "total": {"N": f"{index + 1}.25"}}
        item["note"] = {"S": "x" * max(0, item_bytes - size_bytes(item) - len("note"))}
        size = size_bytes(key) + size_bytes(item)
        number = f"{_FIRST_NUMBER.decode()}{mark}{index:04d}"
        records.append(insert(key=key, item=item, number=number, created=now, size_bytes=size))
    return records


def main() -> None:
    """Serve until standard input ends; the port is the first line of standard output."""
    parser = argparse.ArgumentParser()
    for option in ("--shards", "--records", "--item-bytes"):
        parser.add_argument(option, type=int, required=True)
    parser.add_argument("--repeated", type=float, default=0.0)
    given = parser.parse_args()
    serve(Recording(shards=given.shards, records=given.records, item_bytes=given.item_bytes, repeated=given.repeated))


if __name__ == "__main__":
    main()
