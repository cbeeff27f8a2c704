"""``ttlDeletes=ignore`` beside a filter, in each kind of write: what TTL has deleted at the source is never lost.

One key of a source whose stream lags, is replayed after crashes, and is read by a replication and by a repair. In the
end the destination has what is seen of the source's item, or of the one that TTL has deleted, and nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from processor.aws.timeouts import WriteTimeouts
from processor.dynamodb.expiry import Expiry, PastTtl
from processor.dynamodb.item_view import UNSEEN, without
from processor.dynamodb.keys import key_reader
from processor.errors import ConditionFailedError
from processor.replication.change import Change
from processor.replication.coalescing import last_changes, net_changes
from processor.replication.fenced_writer import FencedTable
from processor.replication.fences import NO_NUMBER
from processor.replication.reconcile import reconcile
from processor.replication.stream_record import decode
from processor.replication.write_responses import Exchanged
from processor.replication.writer import WritableTable
from processor.view.condition.condition import parse
from tests.fakes.streams.stream_record import Item, StreamRecord, joined, stream_record

KEY: Item = {"id": {"S": "k"}}
RAW_KEY = msgspec.Raw(msgspec.json.encode(KEY))
FENCE = "fence"
EXPIRY = Expiry(kept=PastTtl("ttl", lambda: 10.0, longest_seconds=float("inf")))
SOURCE_EVENTS = ["put seen", "put unseen", "put seen past", "put seen past", "put unseen past", "delete", "ttl", "ttl"]
DAEMON_EVENTS = ["apply 1", "apply 1", "apply 2", "apply 5", "crash 1", "crash 3"]
# Nothing happens before the first two reads: no record is applied that could be applied again.
NOTHING = ["crash 1"] * 4
EVENTS = st.lists(st.sampled_from([*SOURCE_EVENTS, *DAEMON_EVENTS]), max_size=24)


def view(item: msgspec.Raw) -> msgspec.Raw | None:
    """Items with ``seen``, without it."""
    attributes = msgspec.json.decode(item)
    if attributes.pop("seen", None) is None:
        return None
    return msgspec.Raw(msgspec.json.encode(attributes))


class World:
    """The two tables' items of the key, and the stream; ``during`` is what happens within somebody's calls."""

    def __init__(self, *, fenced: bool, old_images: bool) -> None:
        self.name = "world"
        self.source: Item | None = None
        self.deleted_by_ttl: Item | None = None
        self.destination: Item | None = None
        self.stream: list[StreamRecord] = []
        self.applied = 0
        self.during: list[str] = []
        self._fenced = fenced
        self._old_images = old_images
        self._writer = Fenced(self)

    def happen(self, event: str) -> None:
        """One of ``EVENTS``."""
        what, _, how = event.partition(" ")
        if what == "apply":
            self._apply(int(how))
        elif what == "crash":
            self.applied = max(0, self.applied - int(how))
        elif what == "put":
            number = len(self.stream)
            item = {**KEY, "v": {"N": str(number)}, "ttl": {"N": "5" if "past" in how else "50"}}
            if "unseen" not in how:
                item["seen"] = {"BOOL": True}
            self._record("MODIFY" if self.source else "INSERT", item)
            self.source = item
        elif self.source is not None and (what == "delete" or self.source["ttl"] == {"N": "5"}):
            more = {} if what == "delete" else {"userIdentity": BY_TTL}
            self._record("REMOVE", {}, **more)
            self.deleted_by_ttl = None if what == "delete" else self.source
            self.source = None

    def _record(self, name: str, new: Item, **more: Any) -> None:
        old = (self.source or {}) if self._old_images else {}
        self.stream.append(stream_record(name, len(self.stream) + 1, key=KEY, new=new, old=old, **more))

    def _apply(self, records: int) -> None:
        batch = self.stream[self.applied : self.applied + records]
        if batch:
            changes = decode(joined([record.data for record in batch]), view, keeps_expired=True)
            asking = [change for change in changes if change.kind != "nothing"]
            for change in (net_changes if self._fenced else last_changes)(asking):
                self.write_one(change)
            self.applied += len(batch)

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """Read the source, as commands and the fenced writer do."""
        assert key == RAW_KEY
        self.others(only_source=True)
        if self.source is None:
            return None
        return view(msgspec.Raw(msgspec.json.encode(self.source))) or UNSEEN

    def others(self, *, only_source: bool = False) -> None:
        """What others do before somebody's next call; ``only_source``: nothing of the replication, which waits."""
        for _ in range(2):
            if not self.during or (only_source and self.during[0] in DAEMON_EVENTS):
                return
            self.happen(self.during.pop(0))

    def write_one(self, change: Change) -> bool:
        """Write the destination."""
        if self._fenced:
            return self._writer.write_one(change)
        self.destination = None if change.image is None else msgspec.json.decode(change.image)
        return True

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """The same, on condition of what was there, as commands do."""
        return (self._writer if self._fenced else Plain(self)).exchange(change, there)

    def call(self, operation: str, body: bytes) -> Item | None:
        """A conditional call of the destination; returns what was there before."""
        request = msgspec.json.decode(body)
        condition = parse(
            request["ConditionExpression"],
            request["ExpressionAttributeNames"],
            request.get("ExpressionAttributeValues", {}),
        )
        before = self.destination
        attributes = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in (before or {}).items()}
        if not condition.matches(attributes):
            raise ConditionFailedError(
                "fake", code="ConditionalCheckFailedException", item=before and msgspec.json.encode(before)
            )
        self.destination = request["Item"] if operation == "PutItem" else None
        return before

    @property
    def expected(self) -> Item | None:
        """What the destination is to have in the end."""
        item = self.source or self.deleted_by_ttl
        seen = None if item is None else view(msgspec.Raw(msgspec.json.encode(item)))
        return None if seen is None else msgspec.json.decode(seen)

    @property
    def found(self) -> Item | None:
        """What it has, without its fence."""
        return self.destination and {name: value for name, value in self.destination.items() if name != FENCE}


BY_TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Fenced(FencedTable):
    """The real one, whose calls end in a ``World``: its conditions are asked of the item there."""

    def __init__(self, world: World) -> None:
        timeouts = WriteTimeouts(connect=1, read=1)
        super().__init__(
            "copy",
            attribute=FENCE,
            source=world,
            keeps_expired=True,
            region="eu-west-1",
            connections=1,
            timeouts=timeouts,
        )
        self._world = world

    def _call_one(self, operation: str, body: bytes, change: Change) -> None:  # noqa: ARG002  # the real one's
        self._world.call(operation, body)


class Plain(WritableTable):
    """The real one for the other modes, in the same way."""

    def __init__(self, world: World) -> None:
        super().__init__("copy", region="eu-west-1", connections=1, timeouts=WriteTimeouts(connect=1, read=1))
        self._world = world

    def _send(self, operation: str, body: bytes, *_: Any) -> Any:
        before = self._world.call(operation, body)
        return Exchanged() if before is None else Exchanged(attributes=msgspec.Raw(msgspec.json.encode(before)))


class Repairer:
    """Brings the key up to date as ``verify --repair`` does; others go on before each of its calls."""

    def __init__(self, world: World, *, fenced: bool) -> None:
        self.name = "copy"
        self._world = world
        self._fenced = fenced
        self._of_stored = without(FENCE)
        self._key_of = key_reader(["id"])

    def run(self) -> None:
        """Once."""
        there = self._world.destination if self._fenced else None
        number = NO_NUMBER if there is None else there[FENCE]["S"]
        reconcile(RAW_KEY, number, source=_AsSource(self._world), table=self, destination=self, expiry=EXPIRY)

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """Read the destination."""
        assert key == RAW_KEY
        self._world.others()
        there = self._world.destination
        return None if there is None else self._of_stored(msgspec.Raw(msgspec.json.encode(there)))

    def write_one(self, change: Change) -> bool:
        """Write the destination."""
        self._world.others()
        return self._world.write_one(change)

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """The same, on condition of what was there."""
        self._world.others()
        return self._world.exchange(change, there)

    def write_batch(self, changes: Any) -> Any:
        """Nobody asks for this."""
        raise NotImplementedError(changes)

    def renew_credentials(self) -> None:
        """Nobody asks for this."""
        raise NotImplementedError


class _AsSource:
    """The source for a command, beside which the replication goes on."""

    def __init__(self, world: World) -> None:
        self.name = "orders"
        self._world = world

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """Read it."""
        self._world.others()
        return self._world.get(key)


def _end(world: World, events: list[str], other: Callable[[], None] = lambda: None) -> None:
    for event in events:
        world.happen(event)
    other()
    while world.during:
        world.happen(world.during.pop(0))
    world.happen("apply 1000")


@given(events=EVENTS, during=EVENTS, fenced=st.booleans(), old_images=st.booleans())
# It enters the filter, and is gone when it is read.
@example(events=["put unseen", "put seen past"], during=["ttl"], fenced=True, old_images=True)
# Its key is used again.
@example(events=["put seen past", "apply 1", "ttl", "put unseen"], during=[], fenced=True, old_images=True)
@example(events=["put seen past", "apply 1", "ttl", "put unseen"], during=[], fenced=False, old_images=True)
@example(events=["put unseen", "put seen past"], during=["ttl"], fenced=True, old_images=False)
@example(events=["put unseen", "apply 1", "put seen past"], during=["ttl"], fenced=True, old_images=True)
def test_the_replication_keeps_what_ttl_deletes(
    events: list[str], during: list[str], *, fenced: bool, old_images: bool
) -> None:
    """Whatever the source does while the stream is behind, and however often a batch is applied again."""
    world = World(fenced=fenced, old_images=old_images)
    world.during = [event for event in during if event in SOURCE_EVENTS]
    _end(world, events)
    assert world.found == world.expected


@given(events=EVENTS, during=EVENTS, fenced=st.booleans())
@example(events=["put seen past", "apply 1", "ttl"], during=[], fenced=False)
@example(events=["put seen past", "apply 1", "put unseen"], during=[], fenced=False)
@example(events=["put seen past", "apply 1", "put unseen past"], during=[], fenced=True)
# Between the repair's last read and its write it changes, and this change is applied; then TTL deletes it.
@example(events=["put seen"], during=[*NOTHING, "put seen past", "apply 5", "ttl"], fenced=False)
@example(events=["put seen past"], during=[*NOTHING, "put seen past", "apply 5", "ttl"], fenced=False)
@example(events=["put unseen"], during=[*NOTHING, "put seen past", "apply 5", "ttl"], fenced=False)
@example(events=["put unseen"], during=["put seen", "put seen past", "apply 1", "ttl", "apply 5"], fenced=False)
def test_a_repair_loses_nothing_of_it(events: list[str], during: list[str], *, fenced: bool) -> None:
    """Whatever happens between its calls.

    An item that an application has deleted may come to stay, if it was past its date: nothing tells the two apart. So
    may one that has left the filter, without ``writeMode=fenced``: the destination had none before and after.
    """
    world = World(fenced=fenced, old_images=True)
    world.during = during
    _end(world, events, Repairer(world, fenced=fenced).run)
    if world.source is None and (world.deleted_by_ttl is None or (world.expected is None and not fenced)):
        assert world.found is None or world.found["ttl"] == {"N": "5"}
    else:
        assert world.found == world.expected


@given(events=EVENTS)
def test_a_repair_knows_what_left_the_filter(events: list[str]) -> None:
    """After it, of an item that the source still has nothing stands at the destination that is not seen."""
    world = World(fenced=False, old_images=True)
    for event in events:
        world.happen(event)
    Repairer(world, fenced=False).run()
    if world.source is not None:
        assert world.found == world.expected
