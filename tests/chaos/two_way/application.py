"""An application that writes to one of the two tables, knowing nothing of the other, nor of the replicator.

It does what applications do that replicators find hard: the same few keys on both sides, deletes and re-inserts, values
that return, updates of single attributes, whole items put from an earlier read (and so with an earlier marker), and
markers that go to another key with their item. It puts no exact old item back, marker and all: the docs say not to.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import Any, NamedTuple

from tests.chaos.journal import Item
from tests.chaos.two_way.images import Image, image
from tests.chaos.two_way.sides import Side
from tests.chaos.workload import KEPT
from tests.chaos.writer import Writer

# As with one direction, keys of KEPT are never deleted: a late duplicate of the mirror's put brings back what was
# deleted since, for a deleted item leaves no number at the spoke.
# kind of key -> share of the writes, number of keys
_KINDS = {"hot": (0.4, 6), "returning": (0.15, 4), "cold": (0.25, 150), "own": (0.15, 8), KEPT: (0.05, 4)}
# What is done to a key that is not "returning", by its share.
_WAYS = {"put": 0.4, "update": 0.3, "add": 0.03, "delete": 0.17, "put-read": 0.1}
_RETURNING_VALUES = 3
_MOST_IN_BURST = 60
_FILLER_BYTES, _LARGE_SHARE, _LARGE_BYTES = 300, 0.01, 100_000
# Of the items that were read, so many of a key are kept to be put later.
_KEPT_READS = 4
_OTHER_KEY_SHARE = 0.15


class Wrote(NamedTuple):
    """A write that the table has acknowledged: what was there before, and what it made of it, as DynamoDB says.

    ``began`` and ``acknowledged`` are ``time.monotonic()``; ``number`` counts the application's writes.
    """

    number: int
    way: str
    key: str
    old: Image | None
    new: Image | None
    began: float
    acknowledged: float

    @property
    def is_effective(self) -> bool:
        """Whether it has changed anything: a write that doesn't leaves no record."""
        return self.old != self.new


class Application(Writer):
    """Writes from a thread until stopped."""

    def __init__(self, side: Side, *, seed: int, pause_seconds: float) -> None:
        name = f"application of the {side.name}"
        super().__init__(name, seed=f"{seed} {side.name}", pause_seconds=pause_seconds, most_in_burst=_MOST_IN_BURST)
        self.wrote: list[Wrote] = []
        self._side = side
        self._reads: dict[str, deque[Item]] = defaultdict(lambda: deque(maxlen=_KEPT_READS))

    def _write(self) -> None:
        kind = self._drawn({name: share for name, (share, _) in _KINDS.items()})
        owner = f"-{self._side.name}" if kind == "own" else ""
        key = f"{kind}{owner}-{self._random.randrange(_KINDS[kind][1])}"
        if kind == "returning":
            way = self._drawn({"put": 0.6, "delete": 0.4})
            value = {"S": f"v{self._random.randrange(_RETURNING_VALUES)}"}
            self._do(way, key, {"id": {"S": key}, "value": value})
            return
        way = self._drawn({name: share for name, share in _WAYS.items() if kind != KEPT or name != "delete"})
        read = self._read_of(key)
        if way == "put-read" and read is not None:
            self._do(way, key, {**read, "id": {"S": key}, **self._tag()})
        else:
            self._do("put" if way == "put-read" else way, key, {"id": {"S": key}, **self._tag(), **self._filler()})

    def _drawn(self, shares: dict[str, float]) -> str:
        (found,) = self._random.choices(list(shares), weights=list(shares.values()))
        return found

    def _read_of(self, key: str) -> Item | None:
        """An item that was read of that key some time ago, or, now and then, of another one."""
        if self._random.random() < _OTHER_KEY_SHARE and self._reads:
            key = self._random.choice(list(self._reads))
        return self._random.choice(self._reads[key]) if self._reads.get(key) else None

    def _tag(self) -> Item:
        """What no other write of either application has."""
        return {"write": {"S": f"{self._side.name} {len(self.wrote)}"}, "by": {"S": self._side.name}}

    def _filler(self) -> Item:
        size = _LARGE_BYTES if self._random.random() < _LARGE_SHARE else _FILLER_BYTES
        return {"filler": {"S": "é" + "x" * self._random.randrange(size)}, "tags": {"SS": ["b", "a"]}, "n": {"N": "7"}}

    def _do(self, way: str, key: str, item: Item) -> None:
        began = time.monotonic()
        old, new = self._done(way, {"id": {"S": key}}, item)
        if old:
            self._reads[key].append(old)
        self.wrote.append(Wrote(len(self.wrote), way, key, image(old), image(new), began, time.monotonic()))

    def _done(self, way: str, key: Item, item: Item) -> tuple[Item, Item | None]:
        """What was there before, and what is there after."""
        client, common = self._side.client, {"TableName": self._side.table, "ReturnValues": "ALL_OLD"}
        if way == "delete":
            return client.delete_item(Key=key, **common).get("Attributes", {}), None
        if way in ("put", "put-read"):
            return client.put_item(Item=item, **common).get("Attributes", {}), item
        name = "extra" if way == "add" else "write"
        answer: Any = client.update_item(
            Key=key,
            UpdateExpression="SET #n = :v",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": item["write"]},
            **common,
        )
        old = answer.get("Attributes", {})
        return old, {**(old or key), name: item["write"]}
