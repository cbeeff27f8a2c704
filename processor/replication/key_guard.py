"""Notices that the destination has another key than the source: then it refuses every change, whatever the change.

That happens if the table is deleted and made again while the replication runs. No change may be set aside for that, so
each refusal is followed by a look at the destination's key, unless one was taken just before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from processor.errors import KeySchemaError, RefusedError
from processor.replication.change import Change

# So that many refusals in a row cost few looks. A table takes longer than that to be deleted and made again.
LOOK_SECONDS = 3.0


class KeyGuard:
    """Shared by the threads of a shard.

    :param look: the destination's key, each attribute with its type (``WritableTable.key_types``)
    """

    def __init__(
        self,
        look: Callable[[], Mapping[str, str]],
        *,
        table: str,
        region: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._table = table
        self._region = region
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._types: Mapping[str, str] = {}

    def check(self, change: Change, error: RefusedError) -> None:
        """Return if a change may have been refused for its own content.

        :raises KeySchemaError: the destination's key is not the source's
        :raises UnavailableError: that can't be known now
        """
        with self._lock:
            now = self._clock()
            if now - self._looked >= LOOK_SECONDS:
                self._types = self._look()
                self._looked = now
            types = self._types
        if types != change.key_types:
            message = (
                f"The key of destination table {self._table} in {self._region} is {_shown(types)} now; the source's is "
                f"{_shown(change.key_types)}. It refuses every change, as that with sequence number "
                f"{change.sequence_number} ({error}). Nothing is set aside, and nothing goes past it. Make the "
                "destination anew with the source's key, and copy the table."
            )
            raise KeySchemaError(message) from error


def _shown(types: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in sorted(types.items()))
