"""Sets changes aside that the destination will never accept, with all that is needed to bring their keys up to date."""

from __future__ import annotations

from datetime import datetime, timezone

from processor.errors import RefusedError
from processor.replication.change import Change
from processor.replication.dead_letters.letter import Letter, LetterStore


class DeadLetters:
    """The letters of one shard.

    :param table: the destination, which refused them
    :param masked: keep what would have been written, in place of the source's item
    """

    def __init__(
        self, store: LetterStore, *, task_name: str, table: str, region: str, shard_id: str, masked: bool = False
    ) -> None:
        self.place = store.place
        self._store = store
        self._task_name = task_name
        self._table = table
        self._region = region
        self._shard_id = shard_id
        self._masked = masked

    def add(self, change: Change, error: RefusedError) -> None:
        """Keep ``change`` for good: when it returns, the checkpoint may pass it.

        :raises UnavailableError: it can't be kept now
        :raises DeadLetterError: it can't be kept until somebody puts something right
        """
        self._store.put(
            Letter(
                time=datetime.now(tz=timezone.utc).isoformat(timespec="milliseconds"),
                task_name=self._task_name,
                table=self._table,
                region=self._region,
                shard_id=self._shard_id,
                sequence_number=change.sequence_number,
                event_name=change.event_name,
                error=error.code,
                reason=str(error),
                key=change.key,
                new_image=change.image if self._masked or change.source_item is None else change.source_item,
            )
        )
