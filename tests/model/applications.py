"""What applications do, which know nothing of replication."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from processor.replication.two_way.stamp import Stamp
from tests.model import memory
from tests.model.memory import OTHER_IDENTITY, Item
from tests.model.world import FOREVER, MARKERS, Play, Spoke, World, spent, with_hub, with_spoke, written

# What applications put into the marker's attribute for reasons of their own.
_JUNK = {"S": "mine"}
# Higher than any number that the key sees.
_FOREIGN_NUMBER = 900


def _values(world: World, play: Play) -> tuple[tuple[int, World], ...]:
    if play.returning:
        return (1, world), (2, world)
    value = world.budget.next_value
    return ((value, world._replace(budget=world.budget._replace(next_value=value + 1))),)


def at_the_hub(world: World, play: Play) -> Iterator[tuple[str, World]]:
    """Each write that may come next there."""
    if not world.budget.hub:
        return
    for value, left in _values(spent(world, hub=1), play):
        yield f"app puts {value} at the hub", with_hub(left, memory.value_item(value), whose="app")
    if world.hub is not None:
        yield "app deletes at the hub", with_hub(spent(world, hub=1), None, whose="app")
        if play.growing:
            grown = memory.numbered({**memory.attributes(world.hub), "more": {"N": str(len(world.hub_stream))}})
            yield "app adds an attribute at the hub", with_hub(spent(world, hub=1), grown, whose="app")


def at_a_spoke(world: World, number: int, spoke: Spoke, play: Play, name: str) -> Iterator[tuple[str, World]]:
    """Each write that may come next there."""
    if not world.budget.spoke:
        return
    less = spent(world, spoke=1)
    for value, left in _values(less, play):
        for label, item in _puts(value, spoke, play):
            after = with_spoke(left, number, written(spoke, item))
            content = memory.content_of(item)
            if not play.returning and content != memory.content_of(spoke.item):
                after = after._replace(owed=after.owed | {content})
            yield f"app {label} at {name}", after
    if play.put_back:
        for old in {new for _, new in spoke.stream if memory.marker_of(new) is not None} - {spoke.item}:
            after = with_spoke(less, number, written(spoke, old))
            yield f"app puts an old item back at {name}, marker and all", after
    if spoke.item is not None:
        yield f"app deletes at {name}", with_spoke(less._replace(has_deleted=True), number, written(spoke, None))


def _puts(value: int, spoke: Spoke, play: Play) -> Iterator[tuple[str, Item]]:
    item = memory.value_item(value)
    yield f"puts {value}, no marker", item
    if (marker := memory.marker_of(spoke.item)) is not None:
        yield f"updates to {value}, the marker stays", memory.with_marker(item, marker)
    if play.stale:
        for old in {new for _, new in spoke.stream if memory.marker_of(new) is not None} - {spoke.item}:
            yield f"puts {value} with an old marker", memory.with_marker(item, memory.marker_of(old))
    if play.foreign:
        yield f"puts {value} with its own attribute", memory.with_marker(item, _JUNK)
        yield f"copies {value} from another key, marker and all", _foreign(item)


@cache
def _foreign(item: Item) -> Item:
    image = memory.raw(item)
    assert image is not None
    stamp = Stamp(FOREVER, b"foreig")
    return memory.numbered(MARKERS.put(image, OTHER_IDENTITY, sequence_number=_FOREIGN_NUMBER, stamp=stamp))
