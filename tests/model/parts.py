"""What the replicator does, by its own code: ``processor/replication/two_way/``'s generators, one request a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple

from processor.replication.change import Change
from processor.replication.two_way import spoke_record
from processor.replication.two_way.conflicts import Conflict
from processor.replication.two_way.requests import GetHub, Keep, Request, Steps
from processor.replication.two_way.spoke_write import SpokeWrite
from processor.replication.two_way.stamp import Stamp
from processor.replication.two_way.uplink import Policy
from tests.model import memory
from tests.model.memory import IDENTITY, Item
from tests.model.world import FOREVER, Protocol, Run


class Part(NamedTuple):
    """A part at work: about a record of the hub (its new image and number), of the spoke (its images), or a key.

    Of several records of the spoke the images of each, one after the other.
    """

    protocol: Protocol
    policy: Policy
    kind: Literal["mirror", "uplink", "restore"]
    about: tuple[Item, ...] = ()


class Done(NamedTuple):
    """What a part has returned."""

    result: Any


class Advance(NamedTuple):
    """What one request has done: ``item`` is the written table's, ``kept`` the images and outcome of a conflict."""

    label: str
    run: Run
    item: Item
    kept: tuple[Item, Item, str] | None
    done: Done | None


@cache
def advance(part: Part, run: Run, now: int, item: Item, hub: Item = None) -> Advance:
    """One request of a part, and all that follows without another.

    :param now: the time
    :param item: what the table has to which the part writes
    :param hub: what the hub has, where that is not that table
    """
    times = (*run.times, now)
    request = _next(part, Run(times, run.answers))
    assert not isinstance(request, Done)
    table = hub if isinstance(request, GetHub) else item
    after, answer = memory.answered(table, request)
    answers = (*run.answers, answer)
    following = _next(part, Run((*times, 0), answers))
    done = following if isinstance(following, Done) else None
    return Advance(
        label=f"{type(request).__name__} {answer.kind}{'' if done is None else f', done: {done.result}'}",
        run=Run(times, answers),
        item=item if isinstance(request, GetHub) else after,
        kept=_images(request.conflict) if isinstance(request, Keep) else None,
        done=done,
    )


@cache
def passed_over(protocol: Protocol, record: tuple[Item, Item], created: int, window: int) -> bool:
    """Whether the uplink takes a record of the spoke for the replicator's own."""
    before, after = (protocol.markers.read(memory.raw(item), IDENTITY) for item in record)
    if after is None:  # many records may come between a mark and its deletion, in however little time
        window = FOREVER
    return protocol.is_replicators(before, after, created_ms=created, window_ms=window)


@cache
def spoke_write(protocol: Protocol, record: tuple[Item, Item]) -> SpokeWrite:
    """An application's write at the spoke, from its record."""
    old, new = map(memory.raw, record)
    change = Change(
        kind="delete" if new is None else "put",
        identity=IDENTITY,
        key=memory.KEY,
        image=new,
        sequence_number="0",
        created_ms=0,
        event_name="INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
    )
    before, after = (protocol.markers.read(image, IDENTITY) for image in (old, new))
    return spoke_record.spoke_write(change, old, before=before, after=after, markers=protocol.markers)


def _images(conflict: Conflict) -> tuple[Item, Item, str]:
    return memory.numbered(conflict.spoke_image), memory.numbered(conflict.hub_image), conflict.outcome


def _next(part: Part, run: Run) -> Request | Done:
    """What a part asks for after these answers: it is begun anew, for a generator can't be copied."""
    asked = 0

    def stamp() -> Stamp:
        return Stamp(run.times[asked], part.kind.encode()[:6])

    generator = _begun(part, stamp)
    try:
        request = next(generator)
        for answer in run.answers:
            asked += 1
            request = generator.send(memory.outcome_of(answer))
    except StopIteration as end:
        return Done(end.value)
    return request


def _begun(part: Part, stamp: Callable[[], Stamp]) -> Steps[Any]:
    protocol, markers = part.protocol, part.protocol.markers
    if part.kind == "restore":
        return protocol.restore(IDENTITY, markers=markers, stamp=stamp)
    if part.kind == "uplink":
        records = zip(part.about[::2], part.about[1::2], strict=True)
        writes = [spoke_write(protocol, record) for record in records]
        return protocol.uplink(writes, markers=markers, policy=part.policy)
    new_item, number = part.about
    image = memory.raw(new_item)
    if image is None:
        return protocol.mirror_delete(IDENTITY, number, markers=markers, stamp=stamp)
    return protocol.mirror_put(image, IDENTITY, number, markers=markers, stamp=stamp)
