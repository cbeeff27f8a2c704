"""Reports that a library's private parts are not as this program expects, once for each part in a process."""

from __future__ import annotations

import threading

from processor.reporting.logs import Log

_said: set[tuple[str, str]] = set()
_lock = threading.Lock()


def say(library: str, member: str, *, instead: str) -> None:
    """Report it.

    :param instead: what is done without the member, as a sentence
    """
    with _lock:
        if (library, member) in _said:
            return
        _said.add((library, member))
    note = f"{instead} Install the releases that requirements.lock has, or report it."
    Log().warning("library_changed", library=library, member=member, note=note)
