"""What was told, and how the task stands now → whether somebody has to be told, and of what. Pure.

::

    how it stands      inSync ───── behind ───────────── inSync ── behind ── inSync ── …
    messages                          └─ a minute later: behind        └─ at the soonest after the pause: recovered

A health is told when it has lasted for a minute; what became ``held`` or ``loss`` at once. The pauses between messages
are 1, 2, 4 ... minutes, up to an hour, until nothing has changed for an hour; what got held or is lost waits for none,
once after each message of something better. A health that comes and goes, and never stays for a minute, is told when it
has done so six times. How often it changed since the last message is said with the next one; that is counted in memory,
and begins anew where another daemon takes over.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from processor.caretaker.notify.health import RANK, Standing, of_finding
from processor.caretaker.notify.told import Health, Told

Event = Literal["inSync", "recovered", "behind", "unknown", "notHealthy", "held", "loss", "deadLetter", "conflict"]

# How long a health must last before it is told. A start, a daemon that dies and one that is taken over take less.
SETTLED_SECONDS = 60.0
# The same for one of which only parts could be seen: an outage of a few minutes is everyday.
UNKNOWN_SECONDS = 600.0
_AT_ONCE: frozenset[str] = frozenset({"held", "loss"})
_COUNTED: frozenset[str] = frozenset({"deadLetter", "conflict"})
# As many changes are a message by themselves.
FLAPS = 6
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3600.0
# When nothing has changed for so long, the next message waits for no pause.
CALM_SECONDS = 3600.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be told now.

    :param told: the row that says so, once it has been
    :param before: the health that was told last; None at the first message
    :param unsaid: how many more changes of health there were since then
    :param more_letters: dead letters that are new since then; likewise conflicts
    """

    event: Event
    standing: Standing
    told: Told
    before: Health | None
    unsaid: int = 0
    more_letters: int = 0
    more_conflicts: int = 0


class Changes:
    """Follows one task's health. All times are seconds since the epoch.

    :param told: what was told last; None if nothing was
    :param to: where messages go, as it is shown to people; a new place is told how the task stands
    """

    def __init__(self, told: Told | None, *, to: str) -> None:
        self._to = to
        self._told = told if told is not None and told.to == to else None
        self._number = told.number if told is not None else 0  # they go on, wherever messages go
        self._letters = _Rising(self._told.dead_letters if self._told else None)
        self._conflicts = _Rising(self._told.conflicts if self._told else None)
        self._now: Standing | None = None
        self._since = self._stood = self._changed = self._told.at_ms / 1000 if self._told else float("-inf")
        self._turns = 0
        self._is_calm = self._told is None

    def see(self, standing: Standing, *, now: float) -> None:
        """Note how the task stands."""
        self._correct(now)
        before = self._now or (_standing(self._told) if self._told else None)
        if not standing.is_whole and before is not None and standing.rank < before.rank:
            return  # what was wrong may be so still: it could not be seen
        has_risen = self._letters.see(standing.dead_letters) + self._conflicts.see(standing.conflicts) > 0
        is_turn = before is None or before.health != standing.health
        is_other = is_turn or before is None or (before.findings, before.held) != (standing.findings, standing.held)
        if is_other or has_risen:
            self._is_calm = self._is_calm or now - self._changed >= CALM_SECONDS
            self._changed = now
        if is_other:
            self._stood = now
        if is_turn:
            self._since = now
            self._turns += before is not None
        elif self._now is None and self._told is not None:
            self._since = self._told.since_ms / 1000
        self._now = standing

    def _correct(self, now: float) -> None:
        """Take what is said to have been later than now for now: the clock was wrong that said so, here or elsewhere.

        Else nothing would be told until that moment, and a pause after it.
        """
        self._since, self._stood, self._changed = (min(each, now) for each in (self._since, self._stood, self._changed))
        if self._told is not None:
            at_ms, since_ms = (min(each, int(now * 1000)) for each in (self._told.at_ms, self._told.since_ms))
            self._told = msgspec.structs.replace(self._told, at_ms=at_ms, since_ms=since_ms)

    def due(self, *, now: float) -> Change | None:
        """What has to be told now, if anything."""
        standing, told = self._now, self._told
        if standing is None:
            return None
        event = standing.health if told is None else self._event(told, standing)
        if event is None or now < self._settled(event, standing) or now < self._pause_ends(event, standing):
            return None
        return Change(
            event=event,
            standing=standing,
            told=Told(
                number=self._number + 1,
                to=self._to,
                at_ms=int(now * 1000),
                health=standing.health,
                since_ms=int(self._since * 1000),
                findings=standing.findings,
                held=standing.held,
                dead_letters=self._letters.now,
                conflicts=self._conflicts.now,
                in_a_row=1 if told is None or self._is_calm else told.in_a_row + 1,
            ),
            before=told.health if told else None,
            unsaid=max(0, self._turns - (told.health != standing.health)) if told else 0,
            more_letters=self._letters.risen,
            more_conflicts=self._conflicts.risen,
        )

    def say(self, change: Change) -> None:
        """A message of this change has arrived."""
        self._told = change.told
        self._number = change.told.number
        self._letters = _Rising(change.told.dead_letters, then=self._letters)
        self._conflicts = _Rising(change.told.conflicts, then=self._conflicts)
        self._turns = 0
        self._is_calm = False

    def _event(self, told: Told, standing: Standing) -> Event | None:
        """What a message would be of, were it time for one."""
        rank = RANK[told.health]
        is_more = bool(set(standing.findings) - set(told.findings)) or standing.held > told.held
        if standing.rank > rank or (standing.rank == rank > 0 and is_more):
            return standing.health
        if self._letters.risen or self._conflicts.risen:
            return "deadLetter" if self._letters.risen else "conflict"
        is_rid_of_letters = standing.health == "inSync" and bool(told.dead_letters) and self._letters.now == 0
        if standing.rank < rank or is_rid_of_letters:
            return "recovered" if standing.health == "inSync" else standing.health
        return None

    def _settled(self, event: Event, standing: Standing) -> float:
        """When what is so has lasted for long enough."""
        if event in _COUNTED or self._turns >= FLAPS or _needs_a_person(self._told, standing):
            return float("-inf")
        is_same = self._told is not None and self._told.health == standing.health
        begun = self._stood if is_same else self._since
        return begun + (UNKNOWN_SECONDS if standing.health == "unknown" else SETTLED_SECONDS)

    def _pause_ends(self, event: Event, standing: Standing) -> float:
        told = self._told
        if told is None or self._is_calm or (event in _AT_ONCE and standing.rank > RANK[told.health]):
            return float("-inf")
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** (told.in_a_row - 1), LONGEST_PAUSE_SECONDS)
        return told.at_ms / 1000 + pause


def _needs_a_person(told: Told | None, standing: Standing) -> bool:
    """Whether what is new since then, if anything, passes by no means by itself."""
    if told is None or standing.rank > RANK[told.health]:
        return standing.health in _AT_ONCE
    new = set(standing.findings) - set(told.findings)
    return standing.held > told.held or any(of_finding(name) in _AT_ONCE for name in new)


class _Rising:
    """A number that was told, and by how much it has risen since it was lowest.

    :param told: None where it was not known, so that all there are count as new
    :param then: what has been seen until now
    """

    def __init__(self, told: int | None, *, then: _Rising | None = None) -> None:
        self.now = told
        self._lowest = told or 0
        if then is not None:
            self.see(then.now)

    def see(self, number: int | None) -> int:
        """Note it, if it is known; returns by how much it is more than before."""
        if number is None:
            return 0
        more = max(0, number - (self.now or 0))
        self.now = number
        self._lowest = min(self._lowest, number)
        return more

    @property
    def risen(self) -> int:
        """By how much."""
        return max(0, (self.now or 0) - self._lowest)


def _standing(told: Told) -> Standing:
    """The standing that was told."""
    return Standing(health=told.health, findings=told.findings, held=told.held)
