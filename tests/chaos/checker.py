"""Holds an episode's journal against the source's true history. It knows nothing of how the replicator works.

1. At the end the destination is the source, byte for byte; where the task has a filter and a mask, what they make of it
   (``view.py``). A change that leaves the filter counts as a delete, and one of which nothing was there as none.
2. No checkpoint passes a change that is not applied, superseded by an applied later one of its key, or dead-lettered.
3. A key's applied sequence numbers go back only where a replay begins (``tenures.py``), and no further than to the
   checkpoint of that moment; and who has lost a shard writes nothing that is older than what its new holder wrote.
4. Every dead letter is one real change, which the destination refuses; and what it refuses is dead-lettered.

A delete at the destination carries no number (but in fenced mode), so which of the key's deletes it was is open. Where
that matters it is taken for the one that speaks for the replicator: an alarm is a bug.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.journal import Applied, Change, Checkpointed, Ended, Entry, Started, Taken
from tests.chaos.tenures import Tenures

SHARD_END = "SHARD_END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter: of which change, what it holds, and when it was written, on ``time.monotonic()``'s clock."""

    sequence: int
    key: str
    digest: str | None
    at: float


@dataclass(kw_only=True)
class Verdict:
    """What was found, and what was counted."""

    violations: list[str] = field(default_factory=list)
    writes: int = 0
    moot: int = 0
    checkpoints: int = 0
    tenures: int = 0  # times that a machine began with a shard
    replays: int = 0  # those that wrote again what had been written before
    rewritten: int = 0  # puts made again, in replays and where an answer was lost
    takeovers: int = 0
    worst_gap_seconds: float = 0.0  # from a daemon's death to the next write of a shard that it held


@dataclass(slots=True)
class _Key:
    """One key's changes in order, and where the destination is among them; places are indices, -1 is before all."""

    changes: list[Change] = field(default_factory=list)
    seen: int = -1  # the newest place written
    deleted_at: float = float("-inf")  # the last delete
    put_at: dict[int, float] = field(default_factory=dict)  # place -> when it was first written
    moot_from: int = -1  # the newest place of which the destination said that it has it, or a later one


class Checker:
    """Goes through a journal once."""

    def __init__(self, history: Sequence[Change], letters: Sequence[Letter] = (), *, coalesce: bool = True) -> None:
        self.verdict = Verdict()
        self._coalesce = coalesce
        self._letters = letters
        self._lettered = {letter.sequence: letter.at for letter in reversed(letters)}
        self._keys: dict[str, _Key] = defaultdict(_Key)
        self._numbers: dict[int, tuple[Change, int]] = {}
        self._shards: dict[str, list[Change]] = defaultdict(list)
        for change in sorted(history, key=lambda change: change.sequence):
            key = self._keys[change.key]
            self._numbers[change.number] = (change, len(key.changes))
            key.changes.append(change)
            self._shards[change.shard].append(change)
        self._passed: dict[str, int] = defaultdict(int)  # shard -> how many of its changes a checkpoint has passed
        self._tenures = Tenures()
        self._deaths: dict[str, float] = {}  # shard -> when the machine that held it died

    def run(self, journal: Sequence[Entry]) -> Verdict:
        """Rules 2 and 3, and the counts."""
        for entry in journal:
            if isinstance(entry, Applied):
                self._applied(entry)
            elif isinstance(entry, Checkpointed):
                self._checkpointed(entry)
            elif isinstance(entry, Taken):
                self._tenures.take(entry.machine, entry.shard, entry.owner)
            elif isinstance(entry, Started):
                self._tenures.start(entry.machine)
            elif isinstance(entry, Ended) and entry.status != 0:
                held = self._tenures.held_by(entry.machine)
                self._deaths |= {shard: entry.at for shard in held if self._tenures.checkpoint(shard) < _END}
        self.verdict.tenures = self._tenures.begun
        self.verdict.replays = self._tenures.replays
        self.verdict.takeovers = self._tenures.takeovers
        return self.verdict

    # --- Writes and their order --------------------------------------------------------------------------------------

    def _applied(self, entry: Applied) -> None:
        self.verdict.writes += not entry.moot
        self.verdict.moot += entry.moot
        key = self._keys[entry.key]
        place = self._place_of(entry, key)
        if place is None:
            return
        change = key.changes[place]
        died = self._deaths.pop(change.shard, None)
        if died is not None:
            gap = entry.at - max(died, change.made_at)
            self.verdict.worst_gap_seconds = max(self.verdict.worst_gap_seconds, gap)
        if entry.moot:
            key.moot_from = max(key.moot_from, place)
            return
        again = place <= key.seen
        if entry.number is None:
            key.deleted_at = entry.at
        if change.digest is not None:
            self.verdict.rewritten += place in key.put_at
            key.put_at.setdefault(place, entry.at)
        key.seen = max(key.seen, place)
        if entry.number is None and entry.fence is not None:
            return  # its condition is true of an absent item, whatever has been there; it changes nothing then
        wrong = self._tenures.write(entry.machine, change, place, again=again)
        if wrong:
            self._violation(f"order: key {entry.key}: {_name(change)} {wrong}", entry)

    def _place_of(self, entry: Applied, key: _Key) -> int | None:
        if entry.number is not None:
            change, place = self._numbers.get(entry.number, (None, -1))
            if change is None or (change.key, change.digest) != (entry.key, entry.digest):
                self._violation(f"image: key {entry.key} was written as write {entry.number}, which is another", entry)
                return None
            if entry.fence in (None, change.sequence):
                return place
            # Fenced mode asks the source itself where a MODIFY finds no item: a newer image under the older number.
            behind = _fenced(key, entry.fence)
            if behind is not None and behind < place and not entry.moot:
                return behind
            self._violation(f"fence: {_name(change)} of key {entry.key} carries {entry.fence}", entry)
            return place
        return self._place_of_delete(entry, key)

    def _place_of_delete(self, entry: Applied, key: _Key) -> int | None:
        fenced = _fenced(key, entry.fence)
        if fenced is not None:
            return fenced
        deletes = [
            place
            for place, change in enumerate(key.changes)
            if change.digest is None and change.made_at <= entry.at and entry.fence in (None, change.sequence)
        ]
        if not deletes:
            self._violation(f"image: key {entry.key} was deleted, which it never was at the source", entry)
            return None
        open_ones = (place for place in deletes if self._tenures.is_next(entry.machine, key.changes[place], place))
        return next(open_ones, deletes[-1])

    # --- Checkpoints -------------------------------------------------------------------------------------------------

    def _checkpointed(self, entry: Checkpointed) -> None:
        if entry.checkpoint != SHARD_END and not entry.checkpoint.isdigit():
            return  # where a new lease begins
        self.verdict.checkpoints += 1
        checkpoint = _END if entry.checkpoint == SHARD_END else int(entry.checkpoint)
        if checkpoint < self._tenures.checkpoint(entry.shard):
            self._violation(f"checkpoint: shard {entry.shard} went back to {entry.checkpoint}", entry)
        self._tenures.move_checkpoint(entry.shard, checkpoint)
        changes, start = self._shards[entry.shard], self._passed[entry.shard]
        end = start
        while end < len(changes) and changes[end].sequence <= checkpoint:
            end += 1
        passed = changes[start:end]
        self._passed[entry.shard] = end
        needed = {change.key: change for change in passed}.values() if self._coalesce else passed
        for change in needed:
            if not self._is_settled(change, entry.at):
                self._violation(
                    f"checkpoint: shard {entry.shard} was checkpointed at {entry.checkpoint}, but {_name(change)} of "
                    f"key {change.key} was not applied",
                    entry,
                )

    def _is_settled(self, change: Change, now: float) -> bool:
        key, place = self._keys[change.key], self._numbers[change.number][1]
        later = key.changes[place:] if self._coalesce else [change]
        return key.moot_from >= place or any(
            self._is_done(key, place + ahead, each, now) for ahead, each in enumerate(later) if each.made_at <= now
        )

    def _is_done(self, key: _Key, place: int, change: Change, now: float) -> bool:
        if change.refused:
            return self._lettered.get(change.sequence, float("inf")) <= now
        if change.digest is not None:
            return place in key.put_at
        while place > 0 and key.changes[place - 1].digest is None:  # it was not there before, so nothing was to be done
            place -= 1
        if place == 0 or key.moot_from >= place:  # the first delete found a later item: those after it ask for nothing
            return True
        change = key.changes[place]
        before = max((at for other, at in key.put_at.items() if other < place), default=float("-inf"))
        return key.deleted_at >= max(change.made_at, before)

    # --- The end -----------------------------------------------------------------------------------------------------

    def check_end(self, source: Mapping[str, str], destination: Mapping[str, str]) -> None:
        """Rule 1.

        :param source: key -> digest of the item
        """
        for name in sorted(source.keys() | destination.keys()):
            wanted, found = source.get(name), destination.get(name)
            changes = self._keys[name].changes
            if changes and changes[-1].refused:  # it keeps what it had, or nothing
                allowed = {change.digest for change in changes if not change.refused} | {None}
            else:
                allowed = {wanted}
            if found not in allowed:
                self.verdict.violations.append(
                    f"end: key {name} is {self._state(name, found)}, at the source {self._state(name, wanted)}"
                )

    def _state(self, name: str, found: str | None) -> str:
        if found is None:
            return "absent"
        known = (change for change in self._keys[name].changes if change.digest == found)
        return next((_name(change) for change in known), f"something else ({found})")

    def check_letters(self) -> None:
        """Rule 4."""
        changes = {change.sequence: change for change in (change for change, _ in self._numbers.values())}
        for letter in self._letters:
            change = changes.get(letter.sequence)
            if change is None or (change.key, change.digest) != (letter.key, letter.digest):
                self.verdict.violations.append(f"dead letter: {letter.sequence} of key {letter.key} is no such change")
            elif not change.refused:
                self.verdict.violations.append(f"dead letter: {_name(change)} of key {letter.key} is not refused")
        for name, key in self._keys.items():
            wanted = key.changes if not self._coalesce else key.changes[-1:]
            self.verdict.violations += [
                f"dead letter: {_name(change)} of key {name} is refused, and not among them"
                for change in wanted
                if change.refused and change.sequence not in self._lettered
            ]

    def _violation(self, what: str, entry: Entry) -> None:
        self.verdict.violations.append(f"{what} (by {entry.machine} at {entry.at:.3f})")


_END = float("inf")


def _fenced(key: _Key, fence: int | None) -> int | None:
    """The place of the change with that sequence number."""
    return next((place for place, change in enumerate(key.changes) if change.sequence == fence), None)


def _name(change: Change) -> str:
    kind = "delete" if change.digest is None else "refused put" if change.refused else "put"
    return f"{kind} {change.number} (sequence number {change.sequence})"
