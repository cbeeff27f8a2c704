"""What to do with a change that the destination will never accept: ``onError``."""

from __future__ import annotations

from processor.apply import Refused
from processor.dead_letters import DeadLetters, store_of
from processor.errors import RefusedError
from processor.key_guard import KeyGuard
from processor.logs import Log
from processor.records import Change
from processor.settings import Settings


def policy(settings: Settings, shard_id: str, log: Log, guard: KeyGuard) -> Refused:
    """What ``apply.py`` calls with each refused change: it raises, or sets the change aside.

    What it raises: ``UnavailableError`` where that can't be decided or done now, anything else to end.
    """
    decide = _stop(settings)
    if settings.on_error == "deadLetter" and (store := store_of(settings)) is not None:
        letters = DeadLetters(
            store,
            task_name=settings.task_name,
            table=settings.destination_table,
            region=settings.destination_region,
            shard_id=shard_id,
        )
        decide = _set_aside(letters, settings, log)

    def refused(change: Change, error: RefusedError) -> None:
        guard.check(change, error)
        decide(change, error)

    return refused


def _stop(settings: Settings) -> Refused:
    def refused(change: Change, error: RefusedError) -> None:
        message = (
            f"Table {settings.destination_table} in {settings.destination_region} will never accept the {change.kind} "
            f"of key {bytes(change.key).decode()} (sequence number {change.sequence_number}): {error}. It is not "
            "applied, and no checkpoint passes it: a restart meets it again. Make the destination accept it, or set "
            "onError=deadLetter and deadLetterUri to set such changes aside and go on."
        )
        raise RefusedError(message, code=error.code) from error

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
        )

    return refused
