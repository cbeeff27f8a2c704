"""What must hold whatever goes wrong, looked at from outside: the two tables, the lease rows, the processes, the words.

It knows nothing of the replicator's code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests.fakes.daemon.replicator import Replicator
from tests.fakes.streams.simulated_stream import Event
from tests.fakes.streams.stream_record import Item

if TYPE_CHECKING:
    from tests.faults.world import World

SHARD_END = "SHARD_END"
Rows = Mapping[str, Mapping[str, Any]]
_MOST_SHOWN = 3
_SAID = re.compile(r" (NOTICE|WARNING|ERROR) ([a-z_]+)\b.*")
_HELD = "held"
TRACES = ("BUG:", "Traceback (most recent call last)")


class Ear:
    """What a daemon's console says from now on."""

    def __init__(self, daemon: Replicator) -> None:
        self._daemon = daemon
        self._from = len(daemon.console)

    @property
    def text(self) -> str:
        """All of it."""
        return self._daemon.console[self._from :]

    def events(self, *levels: str) -> list[str]:
        """Names of what was said at these levels, each once, in their order."""
        found = [match[2] for match in _SAID.finditer(self.text) if match[1] in levels]
        return list(dict.fromkeys(found))

    def complaints(self, *, lasting: bool, true: Collection[str] = ()) -> Iterator[str]:
        """What nobody may be told of something that passes; while it lasts, that a shard is held is the truth.

        :param true: other events that are, whatever the fault
        """
        true = {*true, _HELD} if lasting else {*true}
        for match in _SAID.finditer(self.text):
            if match[1] == "ERROR" and match[2] not in true:
                yield f"ERROR said: {match[0].strip()[:400]}"
        yield from (f"a trace on the console: {trace}" for trace in TRACES if trace in self.text)


def differences(wanted: Mapping[str, Item], found: Mapping[str, Item]) -> list[str]:
    """The keys that are not alike, the first few by name."""
    keys = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    shown = [f"{key} is {_brief(found.get(key))}, not {_brief(wanted.get(key))}" for key in keys[:_MOST_SHOWN]]
    return [*shown, *([f"and {len(keys) - _MOST_SHOWN} more"] if len(keys) > _MOST_SHOWN else [])]


def _brief(item: Item | None) -> str:
    return "absent" if item is None else f"write {item['write']['N']}"


def unequal(world: World) -> list[str]:
    """How the tables differ from what they must hold now, and what is not kept beside them."""
    found = [each for wanted, there in world.sides() for each in differences(wanted, there)]
    return (found or world.unkept())[: _MOST_SHOWN + 1]


def leases(world: World, before: Rows) -> Iterator[str]:
    """No row goes unless it was finished, and none is finished whose shard is open."""
    rows = world.lease_rows()
    for shard, row in before.items():
        if shard not in rows and checkpoint(row) != SHARD_END:
            yield f"the lease of {shard} has gone, unfinished"
    open_ones = world.open_shards()
    for shard, row in rows.items():
        if shard in open_ones and checkpoint(row) == SHARD_END:
            yield f"{shard} is open, and its lease says that it is finished"


def checkpoint(row: Mapping[str, Any]) -> str:
    """A lease row's."""
    text: str = row.get("checkpoint", {}).get("S", "")
    return text


def passed_unapplied(history: Iterable[Event], rows: Rows, found: Mapping[str, Item]) -> Iterator[str]:
    """Changes that a checkpoint has passed although the destination has neither them nor a later one of their key."""
    by_key: dict[str, list[Event]] = {}
    for event in history:
        by_key.setdefault(event.key["id"]["S"], []).append(event)
    for shard, row in rows.items():
        at = checkpoint(row)
        limit = float("inf") if at == SHARD_END else int(at) if at.isdigit() else -1
        for key, events in by_key.items():
            passed = [event for event in events if event.shard_id == shard and int(event.sequence_number) <= limit]
            if not passed:
                continue
            later = [event.item for event in events if int(event.sequence_number) >= int(passed[-1].sequence_number)]
            if found.get(key) not in later:
                yield f"the checkpoint of {shard} has passed a change of {key} that is not applied"
