"""A table in memory with a stream, the true history of both, and what an operator can do to them.

Every method may be called from any thread. Values are kept as they are written: DynamoDB would put numbers into their
canonical form and sets into an order of its own, so write them like that.
"""

from __future__ import annotations

import bisect
import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from tests.fakes.dynamodb.attribute_values import parsed, place, size_bytes, wire
from tests.fakes.streams.simulated_errors import invalid
from tests.fakes.streams.simulated_stream import (
    RETENTION_SECONDS,
    Event,
    Image,
    SequenceNumbers,
    Shard,
    Stream,
    ViewType,
)
from tests.fakes.streams.stream_record import Item

ACCOUNT = "000000000000"
MAX_ITEM_BYTES = 400 * 1024
_encode = msgspec.json.Encoder().encode


class KeyPart(NamedTuple):
    """An attribute of the table's key."""

    name: str
    type: str


class Identity(NamedTuple):
    """A key, ordered as Scan gives the items: by place."""

    place: int
    encoded: bytes


class Table:
    """A table whose stream is on.

    :param key: its parts, each as ``name:type``
    :param shards: how many the stream has at first
    :param replicas: the other regions, where it is one of a global table
    :param clock: seconds since the epoch
    """

    def __init__(
        self,
        name: str,
        *,
        key: Sequence[str] = ("id:S",),
        shards: int = 1,
        seed: int = 0,
        view_type: ViewType = "NEW_AND_OLD_IMAGES",
        region: str = "us-east-1",
        replicas: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.replicas = replicas
        self.key = [KeyPart(*part.rsplit(":", 1)) for part in key]
        self.arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}"
        self.id = str(uuid.UUID(int=seed))
        self.made_at = clock()
        self.lock = threading.RLock()
        self.history: list[Event] = []
        self.streams: list[Stream] = []  # the newest last
        self.latest_stream_arn = ""
        self._clock = clock
        self._region = region
        self._view_type = view_type
        self._numbers = SequenceNumbers(seed)
        self._images: dict[Identity, Image] = {}
        self._order: list[Identity] = []
        self.enable_stream(shards=shards)

    # --- items -------------------------------------------------------------------------------------------------------

    def put(self, item: Item) -> tuple[Image | None, Event | None]:
        """Write an item; returns the one before, and the record, which there is if that changed anything.

        Developer guide, change data capture: a write "that does not change any data in an item" leaves no record.
        """
        identity, image = self.checked(item)
        with self.lock:
            before = self._images.get(identity)
            self._images[identity] = image
            if before is None:
                bisect.insort(self._order, identity)
            elif before.content == image.content:
                return before, None
            return before, self._record(identity, new=image, old=before)

    def checked(self, item: Item) -> tuple[Identity, Image]:
        """An item as it would be written.

        :raises ApiError: it can't be
        """
        image = _image(wire(item))
        if image.size_bytes > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return self.identity(image.content, exact=False), image

    def delete(self, key: Item, *, by_ttl: bool = False) -> tuple[Image | None, Event | None]:
        """Delete an item; returns it, and the record, which there is if there was an item."""
        identity = self.identity(wire(key), exact=True)
        with self.lock:
            before = self._images.pop(identity, None)
            if before is None:
                return None, None
            del self._order[bisect.bisect_left(self._order, identity)]
            return before, self._record(identity, new=None, old=before, by_ttl=by_ttl)

    def put_new(self, items: Iterable[Item]) -> None:
        """Write items of the wire, none of whose keys the table has: ``put``, at less cost for very many."""
        with self.lock:
            for item in items:
                identity = self.identity(item, exact=False)
                self._images[identity] = image = _image(item)
                self._order.append(identity)
                self._record(identity, new=image, old=None)
            self._order.sort()

    def get(self, key: Item) -> Image | None:
        """Read an item."""
        with self.lock:
            return self._images.get(self.identity(key, exact=True))

    def scan(self, start: Item | None) -> list[Image]:
        """All items after the key ``start``, in the order of every scan."""
        with self.lock:
            first = 0 if start is None else bisect.bisect_right(self._order, self.identity(start, exact=True))
            return [self._images[identity] for identity in self._order[first:]]

    def items(self) -> dict[Any, Item]:
        """The items as boto3 gives them, by their key's value; a tuple of values where the key has two parts."""
        with self.lock:
            found = [parsed(image.content) for image in self._images.values()]
        return {self._key_value(item): item for item in found}

    def key_of(self, item: Item) -> Item:
        """An item's key."""
        return {part.name: item[part.name] for part in self.key}

    def identity(self, item: Item, *, exact: bool) -> Identity:
        """The place and the bytes of an item's key.

        :param exact: there may be nothing but the key
        :raises ApiError: it has no key, or none of the right types (the messages are DynamoDB Local's)
        """
        if exact and len(item) != len(self.key):
            raise invalid("The number of conditions on the keys is invalid")
        for part in self.key:
            value = item.get(part.name)
            if value is None:
                raise invalid("One of the required keys was not given a value")
            if part.type not in value:
                raise invalid("One or more parameter values were invalid: Type mismatch for key")
            if not value[part.type]:
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                    f"an empty string value. Key: {part.name}"
                )
        return Identity(place(item[self.key[0].name]), _encode([item[part.name] for part in self.key]))

    def key_schema(self) -> list[dict[str, str]]:
        """The key as DescribeTable has it."""
        kinds = zip(self.key, ("HASH", "RANGE"), strict=False)
        return [{"AttributeName": part.name, "KeyType": kind} for part, kind in kinds]

    def _key_value(self, item: Item) -> Any:
        values = tuple(item[part.name][part.type] for part in self.key)
        return values if len(values) > 1 else values[0]

    def _record(
        self, identity: Identity, *, new: Image | None, old: Image | None, by_ttl: bool = False
    ) -> Event | None:
        stream = self.stream
        if stream is None:
            return None
        image = new or old
        assert image is not None
        key = _image(self.key_of(image.content))
        event = stream.append(identity.place, key=key, new=new, old=old, at=self._clock(), by_ttl=by_ttl)
        self.history.append(event)
        return event

    # --- the stream --------------------------------------------------------------------------------------------------

    @property
    def stream(self) -> Stream | None:
        """The stream that takes the table's changes."""
        return self.streams[-1] if self.streams and self.streams[-1].disabled_at is None else None

    @property
    def newest(self) -> Stream:
        """The newest stream, on or off."""
        if not self.streams:
            raise ValueError(f"table {self.name} has no stream")
        return self.streams[-1]

    def find_stream(self, arn: str) -> Stream | None:
        """A stream that may still be read, once all that is too old has left it."""
        now = self._clock()
        self.streams = [
            stream
            for stream in self.streams
            if stream.disabled_at is None or now - stream.disabled_at <= RETENTION_SECONDS
        ]
        found = next((stream for stream in self.streams if stream.arn == arn), None)
        if found is not None:
            found.age(now=now)
        return found

    def enable_stream(self, *, shards: int = 1, view_type: ViewType | None = None) -> Stream:
        """Turn a new stream on, with an ARN of its own."""
        with self.lock:
            if self.stream is not None:
                raise ValueError(f"stream {self.stream.arn} is on")
            self._view_type = view_type or self._view_type
            now = self._clock()
            moment = dt.datetime.fromtimestamp(now, dt.timezone.utc)
            taken = {stream.arn for stream in self.streams} | {self.latest_stream_arn}
            while (arn := f"{self.arn}/stream/{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}") in taken:
                moment += dt.timedelta(milliseconds=1)
            made = Stream(
                arn, shards=shards, view_type=self._view_type, region=self._region, at=now, numbers=self._numbers
            )
            self.streams.append(made)
            self.latest_stream_arn = arn
            return made

    def disable_stream(self) -> None:
        """Turn the stream off: its shards are closed, and can be read for 24 hours more."""
        with self.lock:
            self._on().disable(at=self._clock())

    def delete_streams(self) -> None:
        """Turn the stream off, if it is on, and remove all there ever were, as 24 hours would."""
        with self.lock:
            self.streams = []

    def split(self, shard_id: str | None) -> list[Shard]:
        """Split an open shard; by default the one with the most places."""
        with self.lock:
            stream = self._on()
            return stream.split(self._shard(shard_id, widest), at=self._clock())

    def roll_over(self, shard_id: str | None) -> Shard:
        """Let an open shard be followed by a child of the same range; by default the oldest."""
        with self.lock:
            return self._on().roll_over(self._shard(shard_id, oldest), at=self._clock())

    def trim(self, shard_id: str | None, *, records: int | None, before: float | None) -> int:
        """Drop the oldest records of a shard, or of all: so many of each, or those made before then; else all."""
        with self.lock:
            dropped = 0
            stream = self.newest
            for shard in stream.shards if shard_id is None else [self._shard(shard_id, oldest)]:
                old = len(shard.times) if before is None else bisect.bisect_left(shard.times, before)
                count = max(old - shard.trimmed, 0)
                dropped += stream.trim(shard, count if records is None else min(records, count))
            return dropped

    def expire(self, shard_id: str) -> None:
        """Drop a closed shard."""
        with self.lock:
            self.newest.expire(self._shard(shard_id, oldest))

    def _on(self) -> Stream:
        if self.stream is None:
            raise ValueError(f"the stream of table {self.name} is off")
        return self.stream

    def _shard(self, shard_id: str | None, choose: Callable[[Sequence[Shard]], Shard]) -> Shard:
        stream = self.newest
        if shard_id is None:
            return choose(stream.open_shards)
        shard = stream.shard(shard_id)
        if shard is None:
            raise ValueError(f"stream {stream.arn} has no {shard_id}")
        return shard


def widest(shards: Sequence[Shard]) -> Shard:
    """The shard with the most places, the oldest of several."""
    return max(shards, key=lambda shard: (shard.high - shard.low, -shard.starting))


def oldest(shards: Sequence[Shard]) -> Shard:
    """The shard that was made first."""
    return min(shards, key=lambda shard: shard.starting)


def _image(content: Item) -> Image:
    return Image(content=content, encoded=_encode(content), size_bytes=size_bytes(content))
