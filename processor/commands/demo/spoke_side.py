"""The other side of a two-way demo: applications that write there, too, and the conflicts that come of both.

They begin when a first write at the spoke has arrived at the hub: what is written there before the uplink has begun is
not sent, and what follows on that key would be a conflict. So each try has a key of its own.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from processor.commands.demo.workload import Item, LagProbe, Workload, scan
from processor.replication.dead_letters.file_store import LetterFile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PROBE_KEY = "probe-back"
_TRY_SECONDS = 0.5
# More than a demo makes.
_MOST_CONFLICTS = 1_000_000


class SpokeSide:
    """Writes to the spoke until stopped.

    :param hub: the source's client and table
    :param spoke: the destination's
    :param conflicts: the file of ``conflictUri``
    """

    def __init__(
        self,
        hub: tuple[DynamoDBClient, str],
        spoke: tuple[DynamoDBClient, str],
        *,
        conflicts: Path,
        seed: int,
        pause_seconds: float,
    ) -> None:
        self.conflicts_file = conflicts
        self._hub, self._spoke = hub, spoke
        self._workload = Workload(*spoke, seed=seed, pause_seconds=pause_seconds)
        self._probe = LagProbe(*spoke, *hub, key=PROBE_KEY)
        self._has_begun = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._begin, name="spoke-side", daemon=True)

    @property
    def written(self) -> int:
        """How many writes were made at the spoke."""
        return self._workload.written

    def start(self) -> None:
        """Begin as soon as the uplink has."""
        self._thread.start()

    def stop(self) -> None:
        """End after the write in progress."""
        self._stop.set()
        self._thread.join()
        if self._has_begun:
            self._probe.stop()
            self._workload.stop()

    def written_since(self, moment: float) -> set[str]:
        """The keys that were written after ``moment``, of the monotonic clock, or are just being written."""
        return self._workload.written_since(moment) | self._probe.written_since(moment)

    def lags_seconds(self) -> list[float]:
        """From a write at the spoke to readable at the hub, the oldest sample first."""
        return self._probe.samples_seconds()

    def conflicts(self) -> int:
        """How many are kept."""
        return LetterFile(self.conflicts_file).count(_MOST_CONFLICTS)

    def _begin(self) -> None:
        client, table = self._spoke
        tried: list[str] = []
        while not (self._has_begun or self._stop.is_set()):
            tried.append(f"try-{len(tried)}")
            client.put_item(TableName=table, Item={"id": {"S": tried[-1]}})
            self._stop.wait(_TRY_SECONDS)
            self._has_begun = not set(tried).isdisjoint(scan(*self._hub))
        for key in tried:
            client.delete_item(TableName=table, Key={"id": {"S": key}})
        if self._has_begun:
            self._workload.start()
            self._probe.start()


def without(items: dict[str, Item], attribute: str) -> dict[str, Item]:
    """The items without an attribute, as the hub has them."""
    return {key: {name: value for name, value in item.items() if name != attribute} for key, item in items.items()}
