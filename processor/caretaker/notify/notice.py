"""A message, as programs read it: docs/schemas/notification.v1.schema.json is made of it. Pure.

What is in it comes from the report of status, without keys of items. A new field may be added; anything else that
programs could notice is a new version.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from processor.caretaker.notify.change import Change, Event
from processor.caretaker.notify.health import RANK, of_finding
from processor.caretaker.notify.told import Health
from processor.reporting import moments
from processor.reporting.findings import Finding
from processor.reporting.printable import escaped
from processor.reporting.secrets import hidden
from processor.settings.settings import Settings
from processor.settings.task_file import TaskFile
from processor.state.status import remedies
from processor.state.status.keyless import without_keys
from processor.state.status.letters import LettersFound
from processor.state.status.report import StatusReport

VERSION: Literal[1] = 1
# What a person reads; status has all. SNS takes 256 KB, twice.
_MOST_FINDINGS = 5
_MOST_CHARACTERS = 600


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    :param id: as docs/findings.md lists them
    :param command: mends it, or finds what is to be mended; None where no command does
    """

    id: str
    object: str
    value: str
    consequence: str
    remedy: str
    command: str | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters, or conflicts. With ``more`` there are more than ``count``; ``added`` since the last message."""

    place: str
    count: int
    more: bool
    added: int
    command: str | None


class NotifiedTable(msgspec.Struct, frozen=True, kw_only=True):
    """One side."""

    region: str
    table: str


class Notice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One change of a task's health. Times are ISO 8601, in UTC.

    :param number: counts the task's messages: two with the same number and the same event are one that was sent twice
    :param event: what has changed; ``health`` is how the task stands
    :param before: the health that the last message had; None at the first
    :param since: since when the health is so
    :param changes_not_told: changes of health since the last message, beside this one
    :param more_wrong: how many more things are wrong than ``wrong`` has
    """

    version: Literal[1]
    task: str
    number: int
    event: Event
    health: Health
    before: Health | None
    at: str
    since: str
    source: NotifiedTable
    destination: NotifiedTable
    lag_seconds: float | None
    changes_not_told: int
    wrong: list[Wrong]
    more_wrong: int
    dead_letters: Kept | None
    conflicts: Kept | None
    status_command: str


def of(change: Change, report: StatusReport, settings: Settings, file: TaskFile) -> Notice:
    """The message of a change.

    :param report: the look by which it was found
    :param file: the task's, for the commands that mend what is wrong
    """
    ordered = sorted(report.findings, key=lambda finding: -RANK[of_finding(finding.id)])
    letters = report.dead_letters
    return Notice(
        version=VERSION,
        task=settings.task_name,
        number=change.told.number,
        event=change.event,
        health=change.standing.health,
        before=change.before,
        at=moments.short(change.told.at_ms),
        since=moments.short(change.told.since_ms),
        source=NotifiedTable(region=settings.source_region, table=settings.source_table),
        destination=NotifiedTable(region=settings.destination_region, table=settings.destination_table),
        lag_seconds=report.lag_seconds,
        changes_not_told=change.unsaid,
        wrong=[_wrong(finding, file) for finding in ordered[:_MOST_FINDINGS]],
        more_wrong=max(0, len(ordered) - _MOST_FINDINGS),
        dead_letters=_kept(letters, change.more_letters, remedies.of_letters(file) if letters else None),
        conflicts=_kept(report.conflicts or None, change.more_conflicts, None),
        status_command=remedies.of_status(file),
    )


def _wrong(finding: Finding, file: TaskFile) -> Wrong:
    return Wrong(
        id=finding.id,
        object=_harmless(finding.object),
        value=_harmless(finding.value),
        consequence=_harmless(finding.consequence),
        remedy=_harmless(finding.remedy),
        command=remedies.of_finding(finding.id, file),
    )


def _kept(found: LettersFound | None, added: int, command: str | None) -> Kept | None:
    if found is None:
        return None
    return Kept(
        place=_harmless(found.place),
        count=found.count,
        more=found.more,
        added=added,
        command=command if found.count else None,
    )


def _harmless(text: str) -> str:
    """Without keys, secrets and what a terminal or a mail program would interpret."""
    shown = escaped(hidden(without_keys(text)))
    return shown if len(shown) <= _MOST_CHARACTERS else f"{shown[:_MOST_CHARACTERS]} ..."
