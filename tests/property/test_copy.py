"""Writes, a replication, and a copy that fails and is killed, interleaved in any way, end with equal tables."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processor.commands.copy.context import CopyContext
from processor.commands.copy.segment import SegmentCopy
from processor.dynamodb.expiry import NEVER, Expiry, PastTtl
from processor.dynamodb.item_view import View
from processor.dynamodb.keys import identity_of, key_reader
from processor.dynamodb.scanner import Page, Segment
from processor.errors import UnavailableError
from processor.flow.outage import Outage
from processor.flow.rate_limiter import Capacity
from processor.flow.retry import Retry
from processor.replication.apply import Applier
from processor.replication.change import Change, bytes_of
from processor.replication.coalescing import last_changes
from processor.replication.writer import OTHER
from processor.reporting.logs import Log
from processor.state.copy_rows import SegmentState
from tests.fakes.dynamodb.table import Killed, passes
from tests.fakes.policies import AT_ONCE

KEYS = "abc"
KEY_OF = key_reader(["id"])
PAGE_ITEMS = 2
_KEPT = Expiry(kept=PastTtl("ttl", lambda: 10.0))
T = TypeVar("T")

# What happens before the copy's next call. A letter: the source writes that key, or (capital) deletes it. daemon: the
# next record is applied. fails, done: the call fails, undone or done. killed, killed after: the copy's process ends;
# restarted: the next one begins anew. lacks, in no list that is drawn: the answer to a read lacks what is there.
EVENTS = st.sampled_from(
    [
        *KEYS,
        *KEYS.upper(),
        *["daemon"] * 4,
        *[""] * 10,
        "fails",
        "done",
        "killed",
        "killed",
        "killed after",
        "restarted",
    ]
)


class World:
    """Two tables, the stream between them, and what the copy has kept of its progress."""

    def __init__(self, events: Sequence[str], *, replicating: bool, view: View | None = None) -> None:
        self.name = "world"
        self.view = view
        self.source: dict[str, bytes] = {}
        self.destination: dict[str, bytes] = {}
        self.kept = SegmentState(number=0)
        self._stream: list[tuple[str, bytes | None]] = []
        self._applied = 0
        self._versions = itertools.count()
        self.events = list(events)
        self.replicating = replicating

    def write(self, key: str, *, delete: bool = False) -> None:
        """The source's item changes, to what it never was."""
        image = None if delete else b'{"id":{"S":"%b"},"v":{"N":"%d"}}' % (key.encode(), next(self._versions))
        _put(self.source, key, image)
        self._stream.append((key, image))

    def replicate(self) -> None:
        """The daemon applies the next record."""
        if self._applied < len(self._stream):
            key, image = self._stream[self._applied]
            _put(self.destination, key, self.seen(image))
            self._applied += 1

    def seen(self, image: bytes | None) -> bytes | None:
        """What the destination is to hold of an item."""
        seen = image if image is None or self.view is None else self.view(msgspec.Raw(image))
        return None if seen is None else bytes(seen)

    def forget_stream(self) -> None:
        """What was written so far is older than the stream."""
        self._stream.clear()

    def drain(self) -> None:
        """The daemon applies all that is left."""
        for _ in self._stream:
            self.replicate()

    def call(self, call: Callable[[], T], *, lacking: Callable[[], T] | None = None) -> T:
        """One call of the copy's, and what happens before and with it.

        :param lacking: an answer to it that lacks what is there
        """
        while self.events:
            event = self.events.pop(0)
            if event in ("", "lacks"):
                call = lacking if event and lacking is not None else call
                break
            if event == "daemon":
                if self.replicating:
                    self.replicate()
            elif event.lower() in KEYS:
                self.write(event.lower(), delete=event.isupper())
            elif event in ("killed", "restarted"):
                if event == "restarted":
                    self.restart()
                raise Killed
            elif event == "fails":
                raise UnavailableError("fake: no answer", code="ReadTimeoutError")
            else:
                call()
                raise Killed if event == "killed after" else UnavailableError("fake: lost", code="ReadTimeoutError")
        return call()

    # --- what the copy sees ------------------------------------------------------------------------------------------

    def page(self, segment: Segment, start: msgspec.Raw | None = None, *, limit: int | None = None) -> Page:
        """Scan the source."""
        assert (segment, limit) == (Segment(0, 1), None)

        def scan() -> Page:
            after = "" if start is None else _key(start)
            keys = sorted(key for key in self.source if key > after)[:PAGE_ITEMS]
            last = msgspec.Raw(b'{"id":{"S":"%b"}}' % keys[-1].encode()) if len(keys) == PAGE_ITEMS else None
            return Page([msgspec.Raw(self.source[key]) for key in keys], last, 1.0, 1, len(keys))

        return self.call(scan, lacking=lambda: Page(scan().items[:-1], None, 1.0, 1, 1))

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """Read one item of the source."""
        return next(iter(self.get_many([key])), None)

    def get_many(self, keys: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
        """Read items of the source."""
        names = [_key(key) for key in keys]
        return self.call(
            lambda: [msgspec.Raw(seen) for name in names if (seen := self.seen(self.source.get(name)))], lacking=list
        )

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """Write the destination."""

        def write() -> list[Change]:
            for change in changes:
                _put(self.destination, _key(change.key), bytes_of(change) if change.kind == "put" else None)
            return []

        return self.call(write)

    def write_one(self, change: Change) -> bool:
        """Write one item of the destination."""
        return not self.write_batch([change])

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """Write one item of the destination on condition of what was there."""

        def exchange() -> msgspec.Raw | None:
            before = self.destination.get(_key(change.key))
            found = None if before is None else msgspec.Raw(before)
            if not passes(found, there):
                return OTHER
            _put(self.destination, _key(change.key), bytes_of(change) if change.kind == "put" else None)
            return found

        return self.call(exchange)

    def renew_credentials(self) -> None:
        """Nobody asks for this."""
        raise NotImplementedError

    def restart(self) -> None:
        """What ``state.claim`` leaves of an earlier copy."""
        self.kept = SegmentState(number=0, in_hand=self.kept.in_hand)

    def save(self, state: SegmentState) -> None:
        """Keep where the segment goes on."""
        self.call(lambda: setattr(self, "kept", state))


class _AsItIs:
    """The world's source without the view."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """Read one item."""
        return next(iter(self.get_many([key])), None)

    def get_many(self, keys: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
        """Read items."""
        world, names = self._world, [_key(key) for key in keys]
        return world.call(
            lambda: [msgspec.Raw(world.source[name]) for name in names if name in world.source], lacking=list
        )


def _put(table: dict[str, bytes], key: str, image: bytes | None) -> None:
    if image is None:
        table.pop(key, None)
    else:
        table[key] = image


def _key(key: msgspec.Raw) -> str:
    found: str = msgspec.json.decode(key)["id"]["S"]
    return found


def _past_ttl(image: msgspec.Raw) -> bool:
    """Every third version that the source writes is past its TTL."""
    return int(msgspec.json.decode(image)["v"]["N"]) % 3 == 0


def _run(
    world: World,
    *,
    concurrent: bool,
    times: float = math.inf,
    past_ttl: Callable[[msgspec.Raw], bool] = NEVER,
    archive: bool = False,
) -> None:
    """Copy, as often as it takes, or as is said."""
    anything: Any = world
    as_it_is: Any = _AsItIs(world)
    stop, outage = threading.Event(), Outage(Log(), "test", note="")
    parts = CopyContext(
        source=anything,
        key_of=KEY_OF,
        applier=Applier(
            world,
            name="copy",
            write_mode="batch",
            coalescing=last_changes,
            threads=1,
            refused=pytest.fail,
            outage=outage,
            policy=AT_ONCE,
        ),
        table=world,
        refused=pytest.fail,
        reading=Capacity(),
        retry=Retry(AT_ONCE, stop, outage),
        stop=stop,
        save=world.save,
        again=anything,
        as_it_is=as_it_is,
        concurrent=concurrent,
        past_ttl=past_ttl,
        view=world.view,
        **({"expiry": _KEPT, "destination": _Destination(world), "fences": world} if archive else {}),
    )
    while not world.kept.done and times > 0:
        times -= 1
        try:
            SegmentCopy(Segment(0, 1), world.kept, parts).run()
        except Killed:
            continue


@given(before=st.lists(st.sampled_from(KEYS), max_size=5), events=st.lists(EVENTS, max_size=60), lag=st.integers(0, 5))
# Scanned, in hand, deleted and that replicated, written, killed before the second look: only what is in hand helps.
@example(before=["a"], events=["", "", "A", "daemon", "", "killed"], lag=0)
# The same for a copy that would keep what is in hand only after it was written.
@example(before=["a"], events=["", "A", "daemon", "", "killed"], lag=0)
# Killed in the same place, then begun anew.
@example(before=["a"], events=["", "", "A", "daemon", "", "killed", "restarted"], lag=0)
@settings(max_examples=300)
def test_beside_a_replication(before: list[str], events: list[str], lag: int) -> None:
    """Nothing older stays over something newer, and nothing deleted comes back; some of the stream is yet to come."""
    world = World(events, replicating=True)
    for key in before:
        world.write(key)
    for _ in before[lag:]:
        world.replicate()
    _run(world, concurrent=True)
    world.drain()
    assert world.source == world.destination


def _some_versions_in_part(image: msgspec.Raw) -> msgspec.Raw | None:
    """Every third version is not seen."""
    item = msgspec.json.decode(image)
    seen = {"id": item["id"], "seen": item["v"]}
    return None if int(item["v"]["N"]) % 3 == 0 else msgspec.Raw(msgspec.json.encode(seen))


@given(
    trimmed=st.lists(st.sampled_from(KEYS), max_size=5),
    before=st.lists(st.sampled_from(KEYS), max_size=5),
    events=st.lists(EVENTS, max_size=60),
    concurrent=st.booleans(),
)
# Seen when it is scanned, not seen any more when it is looked at again, and that replicated in between.
@example(trimmed=["a", "b"], before=[], events=["", "", "a", "a", "daemon", "daemon"], concurrent=True)
@settings(max_examples=300)
def test_a_view_of_the_items(trimmed: list[str], before: list[str], events: list[str], *, concurrent: bool) -> None:
    """The destination has what is seen of the source, and nothing else."""
    world = World(events, replicating=concurrent, view=_some_versions_in_part)
    for key in trimmed:
        world.write(key)
    world.forget_stream()
    for key in before:
        world.write(key)
    _run(world, concurrent=concurrent)
    world.drain()
    seen = {key: world.seen(image) for key, image in world.source.items()}
    assert world.destination == {key: image for key, image in seen.items() if image is not None}


@given(
    before=st.lists(st.sampled_from(KEYS), max_size=5),
    beside=st.lists(EVENTS, max_size=30),
    events=st.lists(EVENTS, max_size=30),
)
@example(before=["a"], beside=["", "", "A", "daemon", ""], events=[])
@settings(max_examples=300)
def test_begun_anew_before_a_replication_goes_on(before: list[str], beside: list[str], events: list[str]) -> None:
    """A copy that was killed beside a replication, which then is stopped, is followed by one that needs none."""
    world = World([*beside, "killed"], replicating=True)
    for key in before:
        world.write(key)
        world.replicate()
    _run(world, concurrent=True, times=1)
    world.replicating = False
    world.restart()
    world.events = list(events)
    _run(world, concurrent=False)
    world.drain()
    assert world.source == world.destination


@given(
    trimmed=st.lists(st.sampled_from(KEYS), max_size=5),
    before=st.lists(st.sampled_from([*KEYS, *KEYS.upper()]), max_size=5),
    events=st.lists(EVENTS, max_size=60),
)
def test_before_a_replication(trimmed: list[str], before: list[str], events: list[str]) -> None:
    """The stream from before the first page on puts right whatever the copy left half old."""
    world = World(events, replicating=False)
    for key in trimmed:
        world.write(key)
    world.forget_stream()
    for key in before:
        world.write(key.lower(), delete=key.isupper())
    _run(world, concurrent=False)
    world.drain()
    assert world.source == world.destination


@given(
    trimmed=st.lists(st.sampled_from(KEYS), max_size=5),
    before=st.lists(st.sampled_from(KEYS), max_size=5),
    events=st.lists(EVENTS, max_size=60),
    concurrent=st.booleans(),
)
@example(trimmed=["a"], before=[], events=[], concurrent=False)
# Live when it is scanned, past its TTL when it is looked at again, and that replicated in between.
@example(trimmed=["a", "b"], before=[], events=["", "", "a", "b", "daemon", "daemon"], concurrent=True)
@settings(max_examples=300)
def test_items_past_their_ttl(trimmed: list[str], before: list[str], events: list[str], concurrent: bool) -> None:  # noqa: FBT001
    """The destination has such an item as the source has it, or not at all; all others are as they always are."""
    world = World(events, replicating=concurrent)
    for key in trimmed:
        world.write(key)
    world.forget_stream()
    for key in before:
        world.write(key)
    _run(world, concurrent=concurrent, past_ttl=_past_ttl)
    world.drain()
    past = {key for key, image in world.source.items() if _past_ttl(msgspec.Raw(image))}
    gone = past - world.destination.keys()
    assert world.destination == {key: image for key, image in world.source.items() if key not in gone}
    if not events and not before:
        assert gone == past


class Archive(World):
    """With ``ttlDeletes=ignore`` and ``writeMode=fenced``; all items are past their TTL, which alone deletes any."""

    def __init__(self, events: Sequence[str]) -> None:
        super().__init__(events, replicating=True)
        self.last: dict[str, bytes] = {}
        self._numbers: dict[str, int] = {}

    def write(self, key: str, *, delete: bool = False) -> None:
        """The source's item changes, or TTL deletes it, which writes nothing."""
        if delete:
            self.source.pop(key, None)
            return
        super().write(key)
        self.last[key] = self.source[key] = self.source[key][:-1] + b',"ttl":{"N":"5"}}'
        self._stream[-1] = (key, self.source[key])

    def replicate(self) -> None:
        """The daemon applies the next record, which gives the item its number."""
        if self._applied < len(self._stream):
            self._numbers[self._stream[self._applied][0]] = self._applied + 1
        super().replicate()

    def of(self, key: msgspec.Raw) -> str:
        """The number of the destination's item."""
        return self.call(lambda: str(self._numbers.get(_key(key), 0)))

    def of_many(self, keys: Sequence[msgspec.Raw]) -> dict[bytes, str]:
        """The same for several."""
        return {identity_of(key): self.of(key) for key in keys}

    def write_batch(self, changes: Sequence[Change]) -> list[Change]:
        """Write the destination, where its items have no newer numbers."""

        def write() -> list[Change]:
            for change in changes:
                if self._numbers.get(_key(change.key), 0) <= int(change.sequence_number):
                    _put(self.destination, _key(change.key), bytes_of(change) if change.kind == "put" else None)
            return []

        return self.call(write)


class _Destination(_AsItIs):
    """The world's destination, for reading."""

    def get_many(self, keys: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
        """Read items."""
        there, names = self._world.destination, [_key(key) for key in keys]
        return self._world.call(lambda: [msgspec.Raw(there[name]) for name in names if name in there], lacking=list)


@given(before=st.lists(st.sampled_from(KEYS), max_size=5), events=st.lists(EVENTS, max_size=60), lag=st.integers(0, 5))
# Scanned, then changed and that replicated, then deleted by TTL: the image of the page is not what is to be kept.
@example(before=["a"], events=["", "", "a", "daemon", "A"], lag=0)
@settings(max_examples=300)
def test_an_archive_beside_a_replication(before: list[str], events: list[str], lag: int) -> None:
    """Of each key the last item stays that there was, whenever TTL has deleted it."""
    world = Archive(events)
    for key in before:
        world.write(key)
    for _ in before[lag:]:
        world.replicate()
    _run(world, concurrent=True, archive=True)
    world.drain()
    assert world.destination == world.last


@given(
    trimmed=st.lists(st.sampled_from(KEYS), min_size=1, max_size=5),
    calls=st.integers(0, 12),
    concurrent=st.booleans(),
    archive=st.booleans(),
)
# The first page lacks its last item, and where the next one begins.
@example(trimmed=["a", "b", "c"], calls=0, concurrent=False, archive=False)
# Of what was scanned, the read before the write finds nothing.
@example(trimmed=["a"], calls=4, concurrent=True, archive=True)
@settings(max_examples=300)
def test_an_answer_that_lacks_what_is_there(trimmed: list[str], calls: int, *, concurrent: bool, archive: bool) -> None:
    """Whichever it is, nothing is passed over: no other answer would ever bring what is older than the stream."""
    events = [*[""] * calls, "lacks"]
    world = Archive(events) if archive else World(events, replicating=concurrent)
    for key in trimmed:
        world.write(key)
    world.forget_stream()
    _run(world, concurrent=concurrent or archive, archive=archive)
    assert world.source == world.destination
