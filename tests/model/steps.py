"""Everything that may happen next.

Between any two requests of the replicator anything else may happen; a crash forgets what a part has in hand, and goes
back to its checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.applications import at_a_spoke, at_the_hub
from tests.model.memory import Item
from tests.model.parts import Part, advance, passed_over, spoke_write
from tests.model.world import Play, Run, Spoke, World, spent, with_hub, with_spoke, written


def steps(world: World, play: Play) -> Iterator[tuple[str, World]]:
    """Everything that may happen next."""
    yield from at_the_hub(world, play)
    for number, spoke in enumerate(world.spokes):
        name = f"spoke {number + 1}" if len(world.spokes) > 1 else "the spoke"
        yield from at_a_spoke(world, number, spoke, play, name)
        for label, after in (
            *_mirror(world, number, spoke, play),
            *_uplink(world, number, spoke, play),
            *_restore(world, number, spoke, play),
        ):
            yield f"{name}: {label}", after


def _mirror(world: World, number: int, spoke: Spoke, play: Play) -> Iterator[tuple[str, World]]:
    if spoke.mirrored < len(world.hub_stream):
        _, new, whose = world.hub_stream[spoke.mirrored]
        done = spoke._replace(mirrored=spoke.mirrored + 1, mirror_run=Run())
        if not play.protocol.mirrors_echoes and whose == f"uplink {number}":
            yield "the mirror passes an echo over", with_spoke(world, number, done)
            return
        part = Part(play.protocol, play.policy, "mirror", (new, spoke.mirrored + 1))
        made = advance(part, spoke.mirror_run, _now(spoke), spoke.item)
        after = spoke._replace(mirror_run=made.run) if made.done is None else done
        yield f"the mirror: {made.label}", with_spoke(world, number, written(after, made.item))
        if play.coalesces and spoke.mirrored + 1 < len(world.hub_stream):
            yield "the mirror coalesces a record with a later one", with_spoke(world, number, done)
    if spoke.mirror_checkpoint < spoke.mirrored:
        yield "the mirror checkpoints", with_spoke(world, number, spoke._replace(mirror_checkpoint=spoke.mirrored))
    if world.budget.crashes and (spoke.mirror_checkpoint < spoke.mirrored or spoke.mirror_run.times):
        back = spoke._replace(mirrored=spoke.mirror_checkpoint, mirror_run=Run())
        yield "the mirror crashes", with_spoke(spent(world, crashes=1), number, back)


def _uplink(world: World, number: int, spoke: Spoke, play: Play) -> Iterator[tuple[str, World]]:
    if spoke.uplinked < len(spoke.stream):
        record = spoke.stream[spoke.uplinked]
        if passed_over(play.protocol, record, spoke.uplinked + 1, play.window):
            done = spoke._replace(uplinked=spoke.uplinked + 1, uplink_run=Run())
            yield "the uplink passes a record over", with_spoke(world, number, done)
        else:
            for end, records in _chains(spoke, play):
                if spoke.uplink_end not in (0, end):
                    continue  # it has begun another one
                done = spoke._replace(uplinked=end, uplink_run=Run(), uplink_end=0)
                part = Part(play.protocol, play.policy, "uplink", records)
                made = advance(part, spoke.uplink_run, _now(spoke), world.hub)
                after = spoke._replace(uplink_run=made.run, uplink_end=end) if made.done is None else done
                left = with_hub(with_spoke(world, number, after), made.item, whose=f"uplink {number}")
                if made.kept is not None:
                    left = left._replace(kept=left.kept | {made.kept})
                chain = f", of {len(records) // 2} records as one" if len(records) > len(record) else ""
                yield f"the uplink{chain}: {made.label}", left
    if spoke.uplink_checkpoint < spoke.uplinked:
        yield "the uplink checkpoints", with_spoke(world, number, spoke._replace(uplink_checkpoint=spoke.uplinked))
    if world.budget.crashes and (spoke.uplink_checkpoint < spoke.uplinked or spoke.uplink_run.times):
        back = spoke._replace(uplinked=spoke.uplink_checkpoint, uplink_run=Run(), uplink_end=0)
        yield "the uplink crashes", with_spoke(spent(world, crashes=1), number, back)


def _chains(spoke: Spoke, play: Play) -> Iterator[tuple[int, tuple[Item, ...]]]:
    """What the uplink may take as one from where it is: the end of it, and the images of each of its records."""
    records = spoke.stream[spoke.uplinked]
    last = spoke_write(play.protocol, records)
    yield spoke.uplinked + 1, records
    for position in range(spoke.uplinked + 1, len(spoke.stream) if play.chains else 0):
        record = spoke.stream[position]
        if passed_over(play.protocol, record, position + 1, play.window):
            continue
        write = spoke_write(play.protocol, record)
        if not play.protocol.follows(write, last):
            return
        records, last = (*records, *record), write
        yield position + 1, records


def _restore(world: World, number: int, spoke: Spoke, play: Play) -> Iterator[tuple[str, World]]:
    if spoke.restore_run is None:
        if world.budget.restores:
            yield "a copy begins", with_spoke(spent(world, restores=1), number, spoke._replace(restore_run=Run()))
        return
    part = Part(play.protocol, play.policy, "restore")
    made = advance(part, spoke.restore_run, _now(spoke), spoke.item, world.hub)
    after = spoke._replace(restore_run=made.run if made.done is None else None)
    yield f"the copy: {made.label}", with_spoke(world, number, written(after, made.item))
    if world.budget.crashes and spoke.restore_run.times:
        yield "the copy crashes", with_spoke(spent(world, crashes=1), number, spoke._replace(restore_run=Run()))


def _now(spoke: Spoke) -> int:
    """The time of the next record, if there is one."""
    return len(spoke.stream) + 1
