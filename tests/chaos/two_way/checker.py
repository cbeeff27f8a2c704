"""Holds both tables' streams against what applications wrote, and what is kept of conflicts.

It knows what the replicator promises, not how that is done: neither markers' numbers nor digests.

1. At the end both tables are equal but for the marker, and no item of the hub ever bore one.
2. Every acknowledged write of an application is in its table's stream. Every other record at the spoke is a write that
   the mirror has made; every other record at the hub is one that the uplink has made of an application's write at the
   spoke, over what that application had seen there, or had itself gone through in writes that follow each other; or a
   conflict's entry says what it has taken the place of.
3. Every write of an application at the spoke has got to the hub, or a conflict's entry has it, or the next write of an
   application there was made over it. A delete of what the mirror was just deleting asks for nothing.
4. Every entry is about an application's write at the spoke, with its images, and about an item that the hub had.
5. The streams have no more than three records for each record of an application's: nothing echoes.

Counted, not wrong, for the docs say so: an entry of a replay, about a write that did get to the hub (*spurious*); a
replay that writes a value again, as the hub's item was again what the spoke's application had seen (*again*); and a
write at the hub that only added attributes, overwritten between the uplink's look and its write, by one that died
before it could say so (*unsaid*).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from tests.chaos.journal import Item
from tests.chaos.two_way.alignment import align, described
from tests.chaos.two_way.application import Wrote
from tests.chaos.two_way.images import Image, content, image, shown
from tests.chaos.two_way.plan import Policy
from tests.chaos.two_way.sides import Record, Replicated

MOST_RECORDS_PER_WRITE = 3.0
_OUTCOMES: dict[Policy, set[str]] = {
    "hubWins": {"hubWins", "hubOverwritten"},
    "lastArrival": {"lastArrival", "hubOverwritten"},
}


class Entry(NamedTuple):
    """A conflict as it was kept."""

    sequence: int
    key: str
    outcome: str
    spoke: Image | None
    spoke_old: Image | None
    hub: Image | None


def entry(stored: Mapping[str, Any]) -> Entry:
    """From its JSON object."""
    images: list[Item | None] = [stored[name] for name in ("spokeImage", "spokeOldImage", "hubImage")]
    key: str = stored["key"]["id"]["S"]
    return Entry(int(stored["sequenceNumber"]), key, stored["outcome"], *map(image, images))


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All that is known of one side."""

    items: Mapping[str, Image]
    records: Sequence[Record]
    wrote: Sequence[Wrote]
    replicated: Sequence[Replicated]


@dataclass(kw_only=True)
class Verdict:
    """What was found, and what was counted."""

    violations: list[str] = field(default_factory=list)
    writes: int = 0  # of applications, that changed anything
    records: int = 0  # of both streams
    outcomes: Counter[str] = field(default_factory=Counter)  # of conflicts
    spurious: int = 0
    again: int = 0
    unsaid: int = 0

    @property
    def records_per_write(self) -> float:
        """How much each application's write costs, itself included."""
        return self.records / max(self.writes, 1)


class _Made(NamedTuple):
    """An application's write at the spoke, with its record."""

    record: Record
    wrote: Wrote
    # What the item was before it, and before those that it follows: each was made over what the one before had written.
    seen: frozenset[str | None]


class _State(NamedTuple):
    """What the hub had of a key; ``until`` is a moment by which it was gone."""

    content: str | None
    until: float


class Checker:
    """Goes through both books once."""

    def __init__(self, hub: Book, spoke: Book, entries: Sequence[Entry], *, policy: Policy) -> None:
        self.verdict = Verdict(
            writes=sum(each.is_effective for book in (hub, spoke) for each in book.wrote),
            records=len(hub.records) + len(spoke.records),
            outcomes=Counter(each.outcome for each in entries),
        )
        self._hub, self._spoke, self._entries, self._policy = hub, spoke, entries, policy
        self._marked = {(each.key, each.marker) for each in spoke.replicated if each.marker is not None}
        self._written = Counter((each.key, content(each.new)) for book in (hub, spoke) for each in book.wrote)

    def run(self) -> Verdict:
        """All rules."""
        self._equal()
        entries = _by_key(self._entries)
        records = {name: _by_key(book.records) for name, book in (("hub", self._hub), ("spoke", self._spoke))}
        wrote = {
            name: _by_key(each for each in book.wrote if each.is_effective)
            for name, book in (("hub", self._hub), ("spoke", self._spoke))
        }
        mirrored, uplinked = _by_key(self._spoke.replicated), _by_key(self._hub.replicated)
        for key in sorted({*records["hub"], *records["spoke"], *wrote["hub"], *wrote["spoke"], *entries}):
            made = self._at_spoke(key, records["spoke"][key], wrote["spoke"][key], mirrored[key])
            states = self._at_hub(key, records["hub"][key], wrote["hub"][key], uplinked[key], made)
            if states:
                self._none_is_lost(key, made, states, entries[key])
                self._entries_are_true(key, made, states, entries[key])
        if self.verdict.records_per_write > MOST_RECORDS_PER_WRITE:
            self._violation(
                f"echo: {self.verdict.records} records of {self.verdict.writes} writes of applications, which is "
                f"{self.verdict.records_per_write:.2f} each"
            )
        return self.verdict

    # --- Rule 1 ------------------------------------------------------------------------------------------------------

    def _equal(self) -> None:
        hub, spoke = self._hub.items, self._spoke.items
        for key in sorted(hub.keys() | spoke.keys()):
            if content(hub.get(key)) != content(spoke.get(key)):
                self._violation(
                    f"end: key {key} is {shown(hub.get(key))} at the hub, {shown(spoke.get(key))} at the spoke"
                )
        for record in self._hub.records:
            if record.new is not None and record.new.marker is not None:
                self._violation(f"marker: key {record.key}: {described(record)} of the hub bears one")

    # --- Rule 2 ------------------------------------------------------------------------------------------------------

    def _at_spoke(
        self, key: str, records: Sequence[Record], wrote: Sequence[Wrote], mirrored: Sequence[Replicated]
    ) -> list[_Made]:
        puts = {each.new.full for each in mirrored if each.new is not None}
        marks = {each.marker for each in mirrored if each.marker is not None}
        has_deleted = any(each.operation == "DeleteItem" for each in mirrored)

        def is_mirrors(record: Record) -> bool:
            if record.new is None:
                return has_deleted
            is_marked = record.new.marker in marks and content(record.old) == record.new.content
            return record.new.full in puts or is_marked

        whose, problem = align(records, wrote, is_mirrors)
        if problem:
            self._violation(f"spoke: key {key}: {problem}")
        made: list[_Made] = []
        for record, by in zip(records, whose, strict=False):
            if by is not None:
                before = content(record.old)
                follows = made and content(made[-1].record.new) == before
                made.append(_Made(record, by, (made[-1].seen if follows else frozenset()) | {before}))
        return made

    def _at_hub(
        self,
        key: str,
        records: Sequence[Record],
        wrote: Sequence[Wrote],
        uplinked: Sequence[Replicated],
        made: Sequence[_Made],
    ) -> list[_State]:
        """The states that the hub has had, if its history can be explained."""
        done = {(each.operation, content(each.new)) for each in uplinked}
        overwritten = {
            (each.sequence, content(each.hub))
            for each in self._entries
            if each.key == key and each.outcome != "hubWins"
        }

        def causes(record: Record) -> list[_Made]:
            if ("DeleteItem" if record.new is None else "PutItem", content(record.new)) not in done:
                return []
            same = [each for each in made if content(each.record.new) == content(record.new)]
            before = content(record.old)
            said = [each for each in same if before in each.seen or (each.record.sequence, before) in overwritten]
            return said or [each for each in same if _has_only_added(each.record.old, record.old)]

        whose, problem = align(records, wrote, lambda record: bool(causes(record)))
        if problem:
            self._violation(f"hub: key {key}: {problem}")
            return []
        used: set[int] = set()
        for record, by in zip(records, whose, strict=True):
            if by is None:
                found = causes(record)
                cause = next((each for each in found if each.record.sequence not in used), None)
                self.verdict.again += cause is None and self._is_of_one_write(key, record)
                used.add((cause or found[0]).record.sequence)
                before = content(record.old)
                self.verdict.unsaid += all(
                    before not in each.seen and (each.record.sequence, before) not in overwritten for each in found
                )
        return _states(records, whose, uplinked)

    # --- Rules 3 and 4 -----------------------------------------------------------------------------------------------

    def _none_is_lost(
        self, key: str, made: Sequence[_Made], states: Sequence[_State], entries: Sequence[Entry]
    ) -> None:
        kept = {each.sequence for each in entries if each.outcome == "hubWins"}
        for (record, wrote, _), following in zip_longest(made, made[1:]):
            if content(record.old) == content(record.new):
                continue  # it has only touched the marker
            is_there = _was(states, content(record.new), wrote.began)
            is_moot = record.new is None and (key, record.old and record.old.marker) in self._marked
            is_covered = following is not None and content(following.record.old) == content(record.new)
            if not is_there and not is_moot and not is_covered and record.sequence not in kept:
                self._violation(
                    f"lost: key {key}: write {wrote.number} at the spoke, {described(record)}, is neither at the hub "
                    "nor among the conflicts"
                )
            is_of_replay = is_there and self._is_of_one_write(key, record)
            self.verdict.spurious += is_of_replay and record.sequence in kept

    def _entries_are_true(
        self, key: str, made: Sequence[_Made], states: Sequence[_State], entries: Sequence[Entry]
    ) -> None:
        by_number = {each.record.sequence: each.record for each in made}
        for each in entries:
            record = by_number.get(each.sequence)
            what = f"conflict: key {key}, {each.outcome} of record {each.sequence}"
            if each.outcome not in _OUTCOMES[self._policy]:
                self._violation(f"{what}: no outcome of conflicts={self._policy}")
            if record is None:
                self._violation(f"{what}: no application at the spoke has written that")
            elif (content(record.new), content(record.old)) != (content(each.spoke), content(each.spoke_old)):
                self._violation(f"{what}: its images are {shown(each.spoke_old)} -> {shown(each.spoke)}")
            if not _was(states, content(each.hub), 0.0):
                self._violation(f"{what}: the hub never had {shown(each.hub)}")

    def _is_of_one_write(self, key: str, record: Record) -> bool:
        """Whether no two writes of applications have made the item what it is after this record."""
        return record.new is not None and self._written[key, record.new.content] == 1

    def _violation(self, what: str) -> None:
        self.verdict.violations.append(what)


def _by_key(each: Iterable[Any]) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for one in each:
        found[one.key].append(one)
    return found


def _states(records: Sequence[Record], whose: Sequence[Wrote | None], uplinked: Sequence[Replicated]) -> list[_State]:
    """What the hub had, in order; each state ends with the record after it, of which the latest moment is known."""
    at: dict[str | None, float] = {}
    for each in uplinked:
        at[content(each.new)] = max(each.at, at.get(content(each.new), 0.0))
    ends = [
        at[content(record.new)] if by is None else by.acknowledged for record, by in zip(records, whose, strict=True)
    ]
    contents = [content(records[0].old) if records else None, *(content(record.new) for record in records)]
    return [_State(each, until) for each, until in zip(contents, [*ends, float("inf")], strict=True)]


def _was(states: Sequence[_State], wanted: str | None, since: float) -> bool:
    """Whether the hub had that at some time after ``since``."""
    return any(state.content == wanted and state.until >= since for state in states)


def _has_only_added(old: Image | None, now: Image | None) -> bool:
    """Whether an item has all attributes of another one, and more."""
    return old is not None and now is not None and old.attributes < now.attributes
