"""Stores what a task's verifications have found, and how far the one in progress is, in a row of the task table.

"Verified through" is the moment at which the last whole pass began::

    pass 1   ├────────────┤                           each key that differed here is counted in ``last``
    pass 2                     ├──────── ── ─────┤    killed and gone on with; ``running`` until its end
             ▲                 ▲                 ▲
             through, until pass 2 ends          through is now the second pass's begin

After that moment, and before the pass ended, each key of both tables was looked at. So what the source held at that
moment, or something newer, was found at the destination, but for the keys that are counted as different. It says
nothing of a change that came later, and nothing of what somebody does to the destination after its key was looked at.
The moment is the clock's of the machine that compares, and scans are eventually consistent, so it is good to a second
or so.

The row's writers are a run of a pass, which owns ``running`` for as long as ``holder`` is its own; whoever has compared
everything by hand, who changes ``last`` alone; and the caretaker, who notes why a run has failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import msgspec

from processor.errors import NotFoundError, PassTakenError
from processor.state import own_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What is stored is of an earlier pass, or of a clock that was ahead: nothing would take its place until then.
_IS_NEWS = "attribute_not_exists(#last) OR #last.throughMs < :through OR #last.throughMs > :ended"


class Verified(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a whole pass has found, in keys; times are milliseconds since the epoch, and the begin is ``through_ms``.

    ``changing``: the source changed them at each look, so of these nothing is known. ``repaired``: how many of the
    missing, extra and different ones are equal now.
    """

    through_ms: int
    ended_ms: int
    equal: int
    missing: int
    extra: int
    different: int
    changing: int = 0
    repaired: int = 0

    @property
    def differing(self) -> int:
        """The number of keys that were left different."""
        return self.missing + self.extra + self.different - self.repaired


class Pass(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A pass in progress; times are milliseconds since the epoch.

    ``holder``: a run of it, and where that is (``host``). ``scope``: which tables it compares, and by which view: what
    was found of others says nothing. ``settled``: which of ``parts`` hold the same items in both tables, a bit for each
    as a hexadecimal number; the counts are those of their items, ``equal`` of those past their TTL.
    """

    holder: str
    host: str
    started_ms: int
    saved_ms: int
    scope: str
    parts: int
    settled: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]+$")] = "0"
    source_items: int = 0
    destination_items: int = 0
    source_expired: int = 0
    destination_expired: int = 0
    equal: int = 0
    expected_items: int = 0

    @property
    def numbers(self) -> frozenset[int]:
        """The parts that are settled."""
        bits = int(self.settled, 16)
        return frozenset(number for number in range(self.parts) if bits >> number & 1)


def packed(numbers: Iterable[int]) -> str:
    """What ``Pass.settled`` says of these parts."""
    return f"{sum(1 << number for number in numbers):x}"


class Failure(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why the last run of a pass could not finish it, for people, and when; milliseconds since the epoch."""

    at_ms: int
    reason: str


class VerificationState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The row. ``since_ms``: when the first pass was begun, milliseconds since the epoch."""

    since_ms: int | None = None
    last: Verified | None = None
    running: Pass | None = None
    failure: Failure | None = None


ROW = own_row.OwnRow("verification", VerificationState, PassTakenError)
read = ROW.read


def begin(client: DynamoDBClient, table: str, begun: Pass, *, seen: Pass | None) -> None:
    """Make ``begun.holder`` the only run that may go on with the pass.

    :param seen: the pass that was in progress when the row was read
    :raises PassTakenError: another run has begun since
    :raises NotFoundError: there is no such table
    :raises UnavailableError: it can't be stored now
    """
    condition, values = "attribute_not_exists(running)", {}
    if seen is not None:
        condition, values = "running.holder = :seen", {":seen": seen.holder}
    ROW.update(
        client,
        table,
        "SET running = :running, sinceMs = if_not_exists(sinceMs, :started)",
        # It is ours already if only the answer to the first attempt was lost.
        condition=f"running.holder = :holder OR {condition}",
        values={
            ":running": begun,
            ":started": begun.started_ms,
            ":holder": begun.holder,
            **values,
        },
    )


def save(client: DynamoDBClient, table: str, running: Pass) -> None:
    """Store how far the pass is; it goes on, so an earlier run's failure is over.

    :raises PassTakenError: another run has taken it over
    :raises UnavailableError: it can't be stored now
    """
    ROW.update(
        client,
        table,
        "SET running = :running REMOVE failure",
        condition="running.holder = :holder",
        values={":running": running, ":holder": running.holder},
    )


def finish(client: DynamoDBClient, table: str, running: Pass, found: Verified) -> None:
    """Store what the whole pass has found.

    :raises PassTakenError: another run has taken it over
    :raises UnavailableError: it can't be stored now
    """
    try:
        ROW.update(
            client,
            table,
            "SET #last = :last REMOVE running, failure",
            condition=f"running.holder = :holder AND ({_IS_NEWS})",
            values={
                ":last": found,
                ":holder": running.holder,
                ":through": found.through_ms,
                ":ended": found.ended_ms,
            },
            names={"#last": "last"},
        )
    except PassTakenError:
        stored = read(client, table)
        if stored is None or stored.last is None or stored.last.through_ms < found.through_ms:
            raise
        if stored.running is not None and stored.running.holder == running.holder:
            # Somebody has compared everything by hand meanwhile, and began later.
            ROW.update(
                client,
                table,
                "REMOVE running, failure",
                condition="running.holder = :holder",
                values={":holder": running.holder},
            )


def fail(client: DynamoDBClient, table: str, failure: Failure) -> None:
    """Store why a run of a pass has ended, or could not begin; the next one goes on, and a whole pass removes it.

    :raises UnavailableError: it can't be stored now
    """
    expression = "SET failure = :failure, sinceMs = if_not_exists(sinceMs, :at)"
    own_row.update(client, table, ROW.key, expression, values={":failure": failure, ":at": failure.at_ms})


def note(client: DynamoDBClient, table: str, found: Verified) -> None:
    """Store what somebody has found who compared everything by hand, unless a later pass is known.

    :raises UnavailableError: it can't be stored now, or we may not
    """
    try:
        ROW.update(
            client,
            table,
            "SET #last = :last, sinceMs = if_not_exists(sinceMs, :through) REMOVE failure",
            condition=_IS_NEWS,
            values={
                ":last": found,
                ":through": found.through_ms,
                ":ended": found.ended_ms,
            },
            names={"#last": "last"},
        )
    except (PassTakenError, NotFoundError):
        return  # something newer is known, or the task was never started
