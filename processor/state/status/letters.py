"""How many dead letters there are, or conflicts of an uplink, and who counts them. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from processor.settings.settings import Settings


class LettersFound(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many there are; with ``more``, there are more, and counting them all would take long."""

    place: str
    count: int
    more: bool = False


# Counts a task's dead letters, or an uplink's conflicts, for it has no dead letters; None where its settings keep none.
# It raises what a look names as not read: DeadLetterError, UnavailableError, RefusedError.
CountLetters = Callable[[Settings], LettersFound | None]
