"""Counts a task's dead letters, or an uplink's conflicts, for whoever says how it stands."""

from __future__ import annotations

from processor.replication.dead_letters import stores
from processor.settings.settings import Settings
from processor.state.status.letters import LettersFound

# Objects of a bucket are counted by listing their names, a thousand a call.
MOST_LETTERS = 10_000


def count(settings: Settings) -> LettersFound | None:
    """How many there are now, or None where the settings keep none.

    :raises DeadLetterError: their file can't be read
    :raises UnavailableError, RefusedError: their bucket can't be listed
    """
    store = stores.of_conflicts(settings) if settings.direction == "uplink" else stores.of_letters(settings)
    if store is None:
        return None
    found = store.count(MOST_LETTERS)
    return LettersFound(place=store.place, count=min(found, MOST_LETTERS), more=found > MOST_LETTERS)
