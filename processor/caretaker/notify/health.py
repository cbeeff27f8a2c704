"""A report of status → the task's health, in one word with what it stands on. Pure.

::

    loss         changes are lost: they have to be copied again
    held         a shard can't go on: at a change that waits for a person, or because the destination takes no writes
    notHealthy   anything else that status finds
    unknown      something could not be read, and nothing worse is known
    behind       a shard is further behind than is allowed
    inSync       status finds nothing
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from processor.caretaker.notify.told import Health
from processor.state.status.letters import LettersFound
from processor.state.status.report import StatusReport

RANK: Mapping[Health, int] = {health: rank for rank, health in enumerate(get_args(Health))}
# By a finding's id; any other is notHealthy.
_HEALTH: Mapping[str, Health] = {
    "shard-lost": "loss",
    "shards-lost": "loss",
    "stream-gone": "loss",
    "stream-replaced": "loss",
    "shard-held": "held",
    "shard-not-written": "held",
    "not-read": "unknown",
    "shards-late": "behind",
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a task stands by one look.

    :param findings: the ids of what is wrong, sorted
    :param held: how many shards can't go on
    :param is_whole: whether all could be read: what was not seen may be as it was before
    :param dead_letters: how many there are; None where that isn't known, or none are kept; likewise conflicts
    """

    health: Health
    findings: tuple[str, ...] = ()
    held: int = 0
    is_whole: bool = True
    dead_letters: int | None = None
    conflicts: int | None = None

    @property
    def rank(self) -> int:
        """0 is well."""
        return RANK[self.health]


def standing_of(report: StatusReport) -> Standing:
    """How the task stands by this report."""
    found = {finding.id for finding in report.findings}
    healths: list[Health] = [of_finding(name) for name in found]
    worst: Health = max(healths, key=RANK.__getitem__, default="inSync")
    return Standing(
        health=worst,
        findings=tuple(sorted(found)),
        held=sum(1 for hold in report.holds if hold.kind != "loss"),
        is_whole="not-read" not in found,
        dead_letters=_count(report.dead_letters),
        conflicts=_count(report.conflicts or None),
    )


def of_finding(name: str) -> Health:
    """What a finding makes of a task that has no other.

    :param name: the finding's id
    """
    return _HEALTH.get(name, "notHealthy")


def _count(found: LettersFound | None) -> int | None:
    return None if found is None else found.count
