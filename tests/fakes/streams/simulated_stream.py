"""One stream of a table: its shards, their lineage, and the records in them, each encoded once, when it is written.

A key's place (see ``attribute_values.place``) falls into the range of exactly one open shard. A shard that is split or
rolls over is closed, and its children carry its range on. Sequence numbers grow over the whole stream, so they do over
each key's lineage. Records older than 24 hours are gone, and so is a closed shard that has none left.
"""

from __future__ import annotations

import bisect
import itertools
import random
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.dynamodb.attribute_values import HASH_BITS
from tests.fakes.streams.stream_record import Item

Kind = Literal["INSERT", "MODIFY", "REMOVE"]
ViewType = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]

# Developer guide, "Change data capture for DynamoDB Streams": what is older is removed "at any moment"; here at once.
RETENTION_SECONDS = 24 * 60 * 60
# GetRecords' documentation: whichever comes first. A record's size is its SizeBytes.
MAX_PAGE_RECORDS = 1000
MAX_PAGE_BYTES = 2**20
# AWS's have 21 digits or more, and don't follow each other without gaps.
_FIRST_SEQUENCE_NUMBER = 4_421_584_500_000_000_000_000
_MAX_STEP = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of the true history.

    ``key`` and ``item`` (None but for a put) are as on the wire, ``at`` is in seconds since the epoch.
    """

    sequence_number: str
    shard_id: str
    kind: Kind
    key: Item
    item: Item | None
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An item, encoded."""

    content: Item
    encoded: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Page:
    """What GetRecords gives: encoded records, and where the next page starts; None at the end of a closed shard."""

    records: list[bytes]
    next_start: int | None


@dataclass(slots=True, kw_only=True, eq=False)
class Shard:
    """A shard: the keys of places ``low`` to ``high``, inclusive. ``ending`` is None while it is open.

    Read the fields, but change them through ``Stream`` only. The lists run side by side; ``trimmed`` counts the records
    at their beginning that are no longer there.
    """

    id: str
    parent: str | None
    low: int
    high: int
    starting: int
    made_at: float
    ending: int | None = None
    closed_at: float | None = None
    children: list[str] = field(default_factory=list)
    trimmed: int = 0
    sequence_numbers: list[int] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    ends_bytes: list[int] = field(default_factory=list)  # sizes, added up
    times: list[float] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it takes records."""
        return self.ending is None

    @property
    def oldest(self) -> int:
        """The oldest sequence number that may still be asked for."""
        if not self.trimmed:
            return self.starting
        left = self.sequence_numbers[self.trimmed : self.trimmed + 1]
        return left[0] if left else self.sequence_numbers[-1] + 1

    def trimmed_past(self, start: int) -> bool:
        """Whether a record at ``start`` or later is gone."""
        return self.trimmed > 0 and start <= self.sequence_numbers[self.trimmed - 1]

    def page(self, start: int, limit: int) -> Page:
        """Up to ``limit`` records from the sequence number ``start`` on."""
        first = bisect.bisect_left(self.sequence_numbers, start)
        before = self.ends_bytes[first - 1] if first else 0
        fitting = bisect.bisect_right(self.ends_bytes, before + MAX_PAGE_BYTES)
        end = max(min(first + limit, fitting), first + 1)
        records = self.encoded[first:end]
        if not self.is_open and end >= len(self.encoded):
            return Page(records, None)
        return Page(records, self.sequence_numbers[first + len(records) - 1] + 1 if records else start)


class Stream:
    """A stream, enabled until it is disabled. Not for several threads at once."""

    def __init__(
        self, arn: str, *, shards: int, view_type: ViewType, region: str, at: float, numbers: SequenceNumbers
    ) -> None:
        self.arn = arn
        self.label = arn.rpartition("/stream/")[2]
        self.view_type = view_type
        self.made_at = at
        self.disabled_at: float | None = None
        self._region = region
        self._numbers = numbers
        self._shards: dict[str, Shard] = {}
        self._open: list[Shard] = []  # by range
        self._lows: list[int] = []
        places = 1 << HASH_BITS
        bounds = [places * number // shards for number in range(shards + 1)]
        for low, end in itertools.pairwise(bounds):
            self._add(
                Shard(id=numbers.shard_id(at), parent=None, low=low, high=end - 1, starting=numbers(), made_at=at)
            )

    @property
    def shards(self) -> list[Shard]:
        """Those that DescribeStream shows, by id."""
        return list(self._shards.values())

    @property
    def open_shards(self) -> list[Shard]:
        """Those that take records, by range."""
        return list(self._open)

    def shard(self, shard_id: str) -> Shard | None:
        """One that DescribeStream shows."""
        return self._shards.get(shard_id)

    # --- records -----------------------------------------------------------------------------------------------------

    def append(
        self, place: int, *, key: Image, new: Image | None, old: Image | None, at: float, by_ttl: bool = False
    ) -> Event:
        """Write the record of a change.

        :param place: the key's
        :param new: the item now, ``old``: the item before; None where there is none
        """
        shard = self._open[bisect.bisect_right(self._lows, place) - 1]
        kind: Kind = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
        number = self._numbers()
        images = b""
        size = key.size_bytes
        if new is not None and self.view_type in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            images += b'"NewImage":%b,' % new.encoded
            size += new.size_bytes
        if old is not None and self.view_type in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
            images += b'"OldImage":%b,' % old.encoded
            size += old.size_bytes
        # The time is rounded down to the second, says the API reference of StreamRecord.
        encoded = (
            b'{"eventID":"%032x","eventName":"%b","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"%b",'
            b'"dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%b,%b"SequenceNumber":"%d","SizeBytes":%d,'
            b'"StreamViewType":"%b"}%b}'
        ) % (
            number,
            kind.encode(),
            self._region.encode(),
            int(at),
            key.encoded,
            images,
            number,
            size,
            self.view_type.encode(),
            # API reference of Record, userIdentity: "Items that are deleted by the Time to Live process".
            b',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}' if by_ttl else b"",
        )
        shard.sequence_numbers.append(number)
        shard.encoded.append(encoded)
        shard.ends_bytes.append(size + (shard.ends_bytes[-1] if shard.ends_bytes else 0))
        shard.times.append(at)
        item = None if new is None else new.content
        return Event(sequence_number=str(number), shard_id=shard.id, kind=kind, key=key.content, item=item, at=at)

    # --- lineage -----------------------------------------------------------------------------------------------------

    def split(self, shard: Shard, *, at: float) -> list[Shard]:
        """Close a shard; two children halve its range."""
        middle = (shard.low + shard.high + 1) // 2
        if middle == shard.low:
            raise ValueError(f"{shard.id} is of one place: it can't be split")
        return self._succeed(shard, [(shard.low, middle - 1), (middle, shard.high)], at)

    def roll_over(self, shard: Shard, *, at: float) -> Shard:
        """Close a shard; a child takes its range."""
        (child,) = self._succeed(shard, [(shard.low, shard.high)], at)
        return child

    def disable(self, *, at: float) -> None:
        """Close every shard, without children."""
        self.disabled_at = at
        for shard in self.open_shards:
            self._close(shard, at)

    def _succeed(self, shard: Shard, ranges: list[tuple[int, int]], at: float) -> list[Shard]:
        if not shard.is_open:
            raise ValueError(f"{shard.id} is closed already")
        self._close(shard, at)
        children = [
            Shard(
                id=self._numbers.shard_id(at),
                parent=shard.id,
                low=low,
                high=high,
                starting=self._numbers(),
                made_at=at,
            )
            for low, high in ranges
        ]
        for child in children:
            shard.children.append(child.id)
            self._add(child)
        return children

    def _add(self, shard: Shard) -> None:
        self._shards[shard.id] = shard
        position = bisect.bisect(self._lows, shard.low)
        self._lows.insert(position, shard.low)
        self._open.insert(position, shard)

    def _close(self, shard: Shard, at: float) -> None:
        # API reference of SequenceNumberRange: the last sequence number for the records contained within the shard.
        shard.ending = shard.sequence_numbers[-1] if shard.sequence_numbers else shard.starting
        shard.closed_at = at
        position = self._open.index(shard)
        del self._open[position], self._lows[position]

    # --- age ---------------------------------------------------------------------------------------------------------

    def age(self, *, now: float) -> None:
        """Drop what is older than 24 hours."""
        horizon = now - RETENTION_SECONDS
        for shard in self.shards:
            if shard.trimmed < len(shard.times) and shard.times[shard.trimmed] < horizon:
                self.trim(shard, bisect.bisect_left(shard.times, horizon) - shard.trimmed)
            if shard.closed_at is not None and shard.closed_at < horizon:
                self.expire(shard)

    def trim(self, shard: Shard, records: int) -> int:
        """Drop the oldest records of a shard; returns how many there were."""
        end = min(shard.trimmed + records, len(shard.encoded))
        dropped = end - shard.trimmed
        shard.encoded[shard.trimmed : end] = [b""] * dropped
        shard.trimmed = end
        return dropped

    def expire(self, shard: Shard) -> None:
        """Drop a closed shard, with all that is in it."""
        if shard.is_open:
            raise ValueError(f"{shard.id} is open: only closed shards expire")
        del self._shards[shard.id]


class SequenceNumbers:
    """Sequence numbers and shard ids, each greater than all before; the same for the same seed and clock."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = _FIRST_SEQUENCE_NUMBER
        self._millis = 0

    def __call__(self) -> int:
        """The next sequence number."""
        self._number += 1 + int(self._random.random() * _MAX_STEP)
        return self._number

    def shard_id(self, at: float) -> str:
        """The id of a shard made then."""
        self._millis = max(int(at * 1000), self._millis + 1)
        return f"shardId-{self._millis:020d}-{self._random.getrandbits(32):08x}"
