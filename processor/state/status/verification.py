"""What a task's verifications have found, for people: read from its row, and in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from processor.reporting import moments
from processor.state import verification_row
from processor.state.verification_row import Failure, Verified
from processor.system import process_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from processor.state.verification_row import Pass

# A pass may take longer than a period, and be interrupted; after so many without a whole one somebody must see to it.
_PERIODS_UNTIL_LATE = 3


class VerificationProgress(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A pass in progress, whether a process is working on it or not; times are milliseconds since the epoch.

    ``host``: the process that did so last, and ``saved_ms`` when it last said how far it was. ``parts_settled``: how
    many of its ``parts`` hold the same items in both tables; ``items``: the source's in these, of some
    ``expected_items``. What differs is looked up at its end.
    """

    host: str
    started_ms: int
    saved_ms: int
    parts: int
    parts_settled: int
    items: int
    expected_items: int

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1; what is left may include parts that were read, and differ."""
        return self.parts_settled / max(self.parts, 1)


class Verification(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The continuous verification of a task; times are milliseconds since the epoch.

    ``looked_ms``: when this was read. ``last``: the last whole pass; ``differing``: how many keys it left different.
    ``since_ms``: when the first pass was begun; None if none was yet.
    """

    every_seconds: int
    looked_ms: int
    since_ms: int | None = None
    last: Verified | None = None
    differing: int | None = None
    running: VerificationProgress | None = None
    failure: Failure | None = None

    @property
    def age_seconds(self) -> float | None:
        """How long ago the last whole pass began; None if there was none."""
        return None if self.last is None else max(0.0, (self.looked_ms - self.last.through_ms) / 1000)

    @property
    def is_late(self) -> bool:
        """Whether there was no whole pass for several periods."""
        since_ms = self.last.through_ms if self.last else self.since_ms
        return since_ms is not None and self.looked_ms - since_ms > _PERIODS_UNTIL_LATE * self.every_seconds * 1000


def read(client: DynamoDBClient, table: str, *, every_seconds: int, now: float | None = None) -> Verification:
    """What is known of the task's verifications.

    :param now: seconds since the epoch; by default the clock's
    :raises UnavailableError: the task table can't be read
    """
    looked_ms = int((time.time() if now is None else now) * 1000)
    row = verification_row.read(client, table)
    if row is None:
        return Verification(every_seconds=every_seconds, looked_ms=looked_ms)
    return Verification(
        every_seconds=every_seconds,
        looked_ms=looked_ms,
        since_ms=row.since_ms,
        last=row.last,
        differing=None if row.last is None else row.last.differing,
        running=None if row.running is None else _progress(row.running),
        failure=row.failure,
    )


def _progress(running: Pass) -> VerificationProgress:
    return VerificationProgress(
        host=running.host,
        started_ms=running.started_ms,
        saved_ms=running.saved_ms,
        parts=running.parts,
        parts_settled=len(running.numbers),
        items=running.source_items,
        expected_items=running.expected_items,
    )


def outcome(last: Verified) -> str:
    """As ``through 2026-11-27T12:03:09+00:00: 1,234 equal, 3 different``, and what else is to be known of them."""
    kinds = (("missing", last.missing), ("extra", last.extra), ("different", last.different))
    found = ", ".join(f"{number:,} {kind}" for kind, number in kinds if number)
    repaired = f", {last.repaired:,} of them repaired" if last.repaired else ""
    text = f"through {moments.of_ms(last.through_ms)}: {last.equal:,} equal, {last.differing:,} different"
    if found:
        text += f" ({found}{repaired})"
    return text + (f", {last.changing:,} changing all the time" if last.changing else "")


def progress(running: VerificationProgress) -> str:
    """How far the pass in progress is."""
    return (
        f"a pass begun at {moments.of_ms(running.started_ms)} has settled {running.parts_settled:,} of "
        f"{running.parts:,} parts, at {moments.of_ms(running.saved_ms)} by {process_name.name_of(running.host)}"
    )


def sentence(found: Verification) -> str:
    """All of it in a line."""
    parts = ["not yet" if found.last is None else outcome(found.last)]
    if found.running is not None:
        parts.append(progress(found.running))
    return "; ".join(parts)
