"""What to do with a change that the destination will never accept: ``onError``.

============  =========================================================  =============================================
onError       a replication                                              a copy
============  =========================================================  =============================================
hold          the shard waits there, and tries again every minute        ends, as with stop
deadLetter    the change is set aside; where it can't be: as with hold   the same; where it can't be: ends
stop          ends with 22                                               ends with 22
============  =========================================================  =============================================
"""

from __future__ import annotations

from processor.errors import DeadLetterError, HeldError, RefusedError, StoppedByRefusalError
from processor.replication.apply import Refused
from processor.replication.change import Change
from processor.replication.dead_letters import stores
from processor.replication.dead_letters.sink import DeadLetters
from processor.replication.key_guard import KeyGuard
from processor.reporting.logs import Log
from processor.settings.settings import Settings
from processor.system import program

_HELD_AT_FAULT = "The shard waits there until the daemon is started again; other shards are not held up."
_HELD = "It is tried again every minute, and the shard goes on by itself; other shards are not held up."


def holding(settings: Settings, shard_id: str, log: Log, guard: KeyGuard) -> Refused:
    """Make a replication's policy: as ``policy``, but with ``HeldError`` where a person has to act.

    With ``onError=stop`` it is ``policy`` itself.
    """
    decide = policy(settings, shard_id, log, guard)
    if settings.on_error == "stop":
        return decide

    def refused(change: Change, error: RefusedError) -> None:
        try:
            decide(change, error)
        except (DeadLetterError, StoppedByRefusalError) as exc:
            raise HeldError(
                f"{exc} {_HELD if change.fault is None else _HELD_AT_FAULT}",
                code=error.code,
                sequence_number=change.sequence_number,
                fault=str(error),
                fields={"table": settings.destination_table, "key": bytes(change.key).decode()},
            ) from exc

    return refused


def policy(settings: Settings, shard_id: str, log: Log, guard: KeyGuard) -> Refused:
    """Make what ``apply.py`` calls with each refused change: it sets the change aside, or raises.

    It raises ``UnavailableError`` if that can't be decided or done now, and other errors to end the process.
    """
    decide = _stop(settings)
    if settings.on_error == "deadLetter" and (store := stores.of_letters(settings, for_shards=True)) is not None:
        letters = DeadLetters(
            store,
            task_name=settings.task_name,
            table=settings.destination_table,
            region=settings.destination_region,
            shard_id=shard_id,
            masked=settings.dead_letter_masked,
        )
        decide = _set_aside(letters, settings, log)

    def refused(change: Change, error: RefusedError) -> None:
        if change.fault is None:  # else the destination was not asked
            guard.check(change, error)
        decide(change, error)

    return refused


def _stop(settings: Settings) -> Refused:
    def refused(change: Change, error: RefusedError) -> None:
        if change.fault is not None:
            message = (
                f"Nothing can be written of the source's item of key {bytes(change.key).decode()} (sequence number "
                f"{change.sequence_number}): {error}. It is not applied, and nothing goes past it. Put the settings "
                "right and start again, or set onError=deadLetter and deadLetterUri to set such changes aside and go "
                "on."
            )
            raise StoppedByRefusalError(message) from error
        message = (
            f"Table {settings.destination_table} in {settings.destination_region} will never accept the {change.kind} "
            f"of key {bytes(change.key).decode()} (sequence number {change.sequence_number}): {error}. It is not "
            "applied, and nothing goes past it. Make the destination accept it, or set onError=deadLetter and "
            "deadLetterUri to set such changes aside and go on."
        )
        raise StoppedByRefusalError(message) from error

    return refused


def _set_aside(letters: DeadLetters, settings: Settings, log: Log) -> Refused:
    def refused(change: Change, error: RefusedError) -> None:
        letters.add(change, error)
        log.error(
            "set_aside",
            table=settings.destination_table,
            key=bytes(change.key).decode(),
            sequence_number=change.sequence_number,
            letters=letters.place,
            reason=str(error),
            note="The destination keeps what it had of this key, and the shard goes on. Make the destination accept "
            f"the change, then {program.COMMAND} redrive FILE brings the key up to date.",
        )

    return refused
