"""Keeps conflicts for good where ``conflictUri`` says, with all that a person needs to decide otherwise.

One JSON object each: a line of a file, or an object in a bucket, as dead letters are kept. It is stored before the
record that it is about counts as applied, so that no image is lost without a word. After a crash it may be there twice
(on S3, the second takes the first one's place).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import msgspec

from processor.errors import DeadLetterError, HeldError
from processor.replication.change import Change
from processor.replication.dead_letters.letter import LetterStore
from processor.replication.two_way.conflicts import Conflict, Verdict
from processor.reporting.logs import Log
from processor.settings.settings import Settings

_HELD = "It is tried again every minute, and the shard goes on by itself; other shards are not held up."


class ConflictRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is stored. Times are ISO 8601 in UTC; images are DynamoDB JSON without the marker, null for no item.

    ``sequence_number`` and ``written_at`` are of the spoke's record, to the second. ``hub_sequence_number`` is the
    newest record of the hub that the spoke's item had before that write, and ``mirrored_at`` when it got there; null if
    that is not known.
    """

    time: str
    task_name: str
    outcome: Verdict
    hub_table: str
    hub_region: str
    spoke_table: str
    spoke_region: str
    shard_id: str
    sequence_number: str
    written_at: str | None
    hub_sequence_number: str | None
    mirrored_at: str | None
    key: msgspec.Raw
    spoke_image: msgspec.Raw | None
    spoke_old_image: msgspec.Raw | None
    hub_image: msgspec.Raw | None

    @property
    def name(self) -> str:
        """A record may have two conflicts, with different outcomes."""
        return f"{self.sequence_number}-{self.outcome}"


class ConflictLog:
    """The conflicts of one shard of an uplink.

    :param settings: the uplink's, whose source is the spoke
    :param store: None where nobody asks for them; they are counted, and logged without their images
    :param counted: called with each outcome, by any thread
    """

    def __init__(
        self,
        store: LetterStore | None,
        *,
        settings: Settings,
        shard_id: str,
        log: Log,
        counted: Callable[[Verdict], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._shard_id = shard_id
        self._log = log
        self._counted = counted

    def keep(self, change: Change, conflict: Conflict) -> None:
        """Store a conflict, count it, and say it.

        :raises UnavailableError: it can't be stored now
        :raises HeldError: it can't be stored until somebody puts something right
        """
        if self._store is not None:
            try:
                self._store.put(self._record(change, conflict))
            except DeadLetterError as exc:
                raise HeldError(
                    f"{exc} {_HELD}",
                    code="ConflictNotKept",
                    sequence_number=conflict.sequence_number,
                    fault=str(exc),
                    fields={"table": self._settings.destination_table, "key": bytes(change.key).decode()},
                ) from exc
        self._counted(conflict.outcome)
        self._log.notice(
            "conflict",
            outcome=conflict.outcome,
            table=self._settings.destination_table,
            key=bytes(change.key).decode(),
            sequence_number=conflict.sequence_number,
            conflicts=None if self._store is None else self._store.place,
        )

    def _record(self, change: Change, conflict: Conflict) -> ConflictRecord:
        settings = self._settings
        return ConflictRecord(
            time=datetime.now(tz=timezone.utc).isoformat(timespec="milliseconds"),
            task_name=settings.task_name,
            outcome=conflict.outcome,
            hub_table=settings.destination_table,
            hub_region=settings.destination_region,
            spoke_table=settings.source_table,
            spoke_region=settings.source_region,
            shard_id=self._shard_id,
            sequence_number=conflict.sequence_number,
            written_at=_moment(conflict.created_ms or None),
            hub_sequence_number=conflict.hub_sequence_number,
            mirrored_at=_moment(conflict.mirrored_ms),
            key=change.key,
            spoke_image=conflict.spoke_image,
            spoke_old_image=conflict.spoke_old_image,
            hub_image=conflict.hub_image,
        )


def _moment(at_ms: int | None) -> str | None:
    """``at_ms``: in ms since the epoch. A foreign marker may have any number, so one that is no time is none."""
    try:
        return (
            None
            if at_ms is None
            else datetime.fromtimestamp(at_ms / 1000, tz=timezone.utc).isoformat(timespec="milliseconds")
        )
    except (OverflowError, OSError, ValueError):
        return None
