"""Stores in a row of the task table who looks after the replica, and how far that is.

::

    caretaker   holder, host, beat      the one caretaker of the fleet that works for this task (caretaker/lock.py)
                beatMs                  the same beat's moment, by the holder's clock, for people
                phase, phaseSinceMs     created ─▶ copying ─▶ verifying ─▶ in sync, and from a loss back to copying
                copyAfterMs             a copy that was begun before this moment has not all that there is to copy
                lostMs                  since when changes are known to be lost that a copy is to make good
                trouble                 why it does not go on
                notified                what was told to others last

A start, which has no caretaker yet, writes phase and copyAfterMs only. All else is written by the holder, on condition
that it is still that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from processor.errors import CareTakenError
from processor.state import own_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Phase = Literal["created", "copying", "verifying", "in sync"]


class Trouble(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why the replica does not go on for now.

    :param kind: ``waits`` for what passes by itself; ``delayed``: a command has failed and is given again; ``refused``:
        so it is, for a reason that a person must put right; ``differs``: the copy is complete, and keys differ
    :param reason: for people
    :param at_ms: since when, milliseconds since the epoch
    :param command: which command has failed; empty where none has
    """

    kind: Literal["waits", "delayed", "refused", "differs"]
    reason: str
    at_ms: int
    command: str = ""


class CareRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The row; times are milliseconds since the epoch.

    :param holder: the caretaker's own id, empty where none works; ``host``: its process (``system/process_name.py``)
    :param beat: grows while the holder works
    :param beat_ms: when it last grew; who takes over goes by ``beat``, which needs no clock
    :param phase: None for a task that nobody was asked to make a replica for
    :param phase_since_ms: when it began; of "in sync", when the comparison began that has shown it
    :param copy_after_ms: only a copy that was begun at this moment or later will do
    :param lost_ms: since when changes are known to be lost; 0 where none are that are not made good
    :param trouble: why it does not go on; None while it does
    """

    holder: str = ""
    host: str = ""
    beat: int = 0
    beat_ms: int = 0
    phase: Phase | None = None
    phase_since_ms: int = 0
    copy_after_ms: int = 0
    lost_ms: int = 0
    trouble: Trouble | None = None
    notified: dict[str, Any] = {}


_ROW = own_row.OwnRow("caretaker", CareRow, CareTakenError)
read = _ROW.read


def begin(
    client: DynamoDBClient,
    table: str,
    phase: Phase,
    *,
    before: CareRow | None,
    now_ms: int,
    copy_after_ms: int,
    lost_ms: int = 0,
) -> None:
    """Store where it begins: by a start, which holds nothing.

    :param before: the row as it was read; of two starts at the same time, only one decides
    :raises ConditionFailedError: another start, or a caretaker, has written it since
    :raises UnavailableError: it can't be stored now
    """
    was = before.phase if before else None
    condition = "attribute_not_exists(phase)"
    values: dict[str, Any] = {":phase": phase, ":now": now_ms, ":after": copy_after_ms, ":lost": lost_ms}
    if before is not None and was is not None:
        condition = "phase = :was AND phaseSinceMs = :since"
        values |= {":was": was, ":since": before.phase_since_ms}
    expression = "SET phase = :phase, phaseSinceMs = :now, copyAfterMs = :after, lostMs = :lost"
    own_row.update(client, table, _ROW.key, expression, condition=condition, values=values)


def take(client: DynamoDBClient, table: str, *, holder: str, host: str, seen: CareRow | None, now_ms: int) -> CareRow:
    """Become the holder.

    :param seen: the row whose holder works no more, or has none; None where there is no row
    :returns: the row as it is now
    :raises CareTakenError: another caretaker was faster
    :raises UnavailableError: it can't be stored now
    """
    condition = "attribute_not_exists(holder) OR holder = :holder"
    values: dict[str, Any] = {":holder": holder, ":host": host, ":one": 1, ":zero": 0, ":now": now_ms}
    if seen is not None:
        condition += " OR (holder = :seen AND beat = :beat)"
        values |= {":seen": seen.holder, ":beat": seen.beat}
    expression = "SET holder = :holder, host = :host, beat = if_not_exists(beat, :zero) + :one, beatMs = :now"
    row = _ROW.update(client, table, expression, condition=condition, values=values)
    return _ROW.parsed(row, table)


def beat(client: DynamoDBClient, table: str, *, holder: str, now_ms: int) -> CareRow:
    """Show that the holder works; returns the row as it is now.

    :raises CareTakenError: another caretaker has taken over
    :raises UnavailableError: it can't be stored now
    """
    values = {":holder": holder, ":one": 1, ":now": now_ms}
    expression = "SET beat = beat + :one, beatMs = :now"
    row = _ROW.update(client, table, expression, condition="holder = :holder", values=values)
    return _ROW.parsed(row, table)


def leave(client: DynamoDBClient, table: str, *, holder: str) -> None:
    """Hold it no more, so that the next one need not watch whether it is held.

    :raises CareTakenError: another caretaker has taken over
    :raises UnavailableError: it can't be stored now
    """
    values = {":holder": holder, ":nobody": ""}
    _ROW.update(client, table, "SET holder = :nobody", condition="holder = :holder", values=values)


def note(client: DynamoDBClient, table: str, *, holder: str, parts: dict[str, Any]) -> CareRow:
    """Store parts of the row; returns it as it is now.

    :param parts: values by the names of ``CareRow``'s fields; None removes one
    :raises CareTakenError: another caretaker has taken over
    :raises UnavailableError: it can't be stored now
    """
    names = {field.name: field.encode_name for field in msgspec.structs.fields(CareRow)}
    stored = {f"#{name}": names[name] for name in parts}
    kept = [name for name, value in parts.items() if value is not None]
    gone = [name for name, value in parts.items() if value is None]
    expression = ("SET " + ", ".join(f"#{name} = :{name}" for name in kept) if kept else "") + (
        " REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""
    )
    values = {f":{name}": parts[name] for name in kept} | {":ours": holder}
    row = _ROW.update(client, table, expression, condition="holder = :ours", values=values, names=stored)
    return _ROW.parsed(row, table)
