"""What no state may be."""

from __future__ import annotations

from tests.model import memory
from tests.model.memory import Item
from tests.model.parts import passed_over
from tests.model.world import MOST_RECORDS, Play, Spoke, World


def violation(world: World, play: Play) -> str | None:
    """What no state may be."""
    return _at_any_time(world, play) or (_at_rest(world, play) if _is_at_rest(world) else None)


def _at_any_time(world: World, play: Play) -> str | None:
    if max(len(world.hub_stream), *(len(spoke.stream) for spoke in world.spokes)) > MOST_RECORDS:
        return "endless echo"
    if world.budget.spoke == play.spoke and any(whose != "app" for *_, whose in world.hub_stream):
        return "the hub changed although nobody wrote at a spoke"
    if not world.has_deleted and any(new is None and whose != "app" for _, new, whose in world.hub_stream):
        return "the hub's item was deleted although nobody deleted at a spoke"
    return None


def _at_rest(world: World, play: Play) -> str | None:
    for spoke in world.spokes:
        if memory.content_of(world.hub) != memory.content_of(spoke.item):
            return f"diverged: hub {_shown(world.hub)}, spoke {_shown(spoke.item)}"
    known = {new for _, new, _ in world.hub_stream} | {image for image, *_ in world.kept}
    if play.chains:
        known |= _covered(world, play)
    if lost := world.owed - known:
        return f"lost, and no conflict says so: {', '.join(map(_shown, lost))}"
    return _overwritten(world, play)


def _overwritten(world: World, play: Play) -> str | None:
    """A hub's value that the uplink has written over, though no application at the spoke had seen it."""
    if play.returning:
        return None
    based_on: dict[Item, set[Item]] = {}
    for spoke in world.spokes:
        chain: set[Item] = set()
        last: Item = None
        for old, new in _by_applications(spoke, play):
            # What the hub may have had by then: with chains, whatever the applications have gone through.
            chain = chain | {old} if play.chains and old == last else {old}
            based_on.setdefault(new, set()).update(chain)
            last = new
    told = {hub for _, hub, _ in world.kept}
    for old, new, whose in world.hub_stream:
        if whose != "app" and old not in based_on.get(new, set()) and old not in told:
            return f"the hub's {_shown(old)} was written over, and no conflict says so"
    return None


def _covered(world: World, play: Play) -> set[Item]:
    """What applications at a spoke have themselves written over there, which need not get to the hub."""
    return {old for spoke in world.spokes for old, _ in _by_applications(spoke, play)}


def _by_applications(spoke: Spoke, play: Play) -> list[tuple[Item, Item]]:
    """The images of their records, without markers."""
    return [
        (memory.content_of(old), memory.content_of(new))
        for created, (old, new) in enumerate(spoke.stream, 1)
        if not passed_over(play.protocol, (old, new), created, play.window)
    ]


def _is_at_rest(world: World) -> bool:
    return all(
        spoke.mirrored == len(world.hub_stream)
        and spoke.uplinked == len(spoke.stream)
        and spoke.restore_run is None
        and not spoke.mirror_run.times
        and not spoke.uplink_run.times
        for spoke in world.spokes
    )


def _shown(item: Item) -> str:
    return "nothing" if item is None else str(memory.attributes(item).get("v", {}).get("N", memory.attributes(item)))
