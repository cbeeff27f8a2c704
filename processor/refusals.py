"""What to do with a change that the destination will never accept: ``onError``."""

from __future__ import annotations

from processor.apply import Refused
from processor.dead_letters import DeadLetters, FileDeadLetters
from processor.errors import RefusedError
from processor.logs import Log
from processor.records import Change
from processor.settings import Settings


def policy(settings: Settings, shard_id: str, log: Log) -> Refused:
    """What ``apply.py`` calls with each refused change: it raises, or sets the change aside."""
    if settings.on_error == "deadLetter":
        return _set_aside(_dead_letters(settings, shard_id), settings, log)
    return _stop(settings)


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
            file=settings.dead_letter_path,
            reason=str(error),
        )

    return refused


def _dead_letters(settings: Settings, shard_id: str) -> DeadLetters:
    return FileDeadLetters(
        settings.dead_letter_path or "",
        task_name=settings.task_name,
        table=settings.destination_table,
        region=settings.destination_region,
        shard_id=shard_id,
    )
