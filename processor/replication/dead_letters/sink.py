"""Sets changes aside that the destination will never accept, with all that is needed to bring their keys up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from processor.aws.clients import Clients
from processor.aws.s3 import Bucket
from processor.errors import RefusedError
from processor.replication.change import Change
from processor.replication.dead_letters.file_store import LetterFile
from processor.replication.dead_letters.letter import Letter, LetterStore
from processor.replication.dead_letters.s3_store import LetterBucket
from processor.settings.settings import Settings


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


def store_of(
    settings: Settings, make_clients: Callable[[Settings], Clients] = Clients, *, for_shards: bool = False
) -> LetterStore | None:
    """Where the settings keep dead letters; None where they name no place.

    :param for_shards: a shard waits while a letter is stored, and tries again where it isn't
    """
    if settings.dead_letter_path is not None:
        return LetterFile(settings.dead_letter_path, shared=settings.allow_shared_folders)
    if settings.dead_letter_bucket is None:
        return None
    clients = make_clients(settings)
    connect = clients.s3_for_shards if for_shards else clients.s3
    bucket = Bucket(settings.dead_letter_bucket, connect=connect, owner=clients.letters_owner)
    return LetterBucket(bucket, prefix=settings.dead_letter_prefix, task_name=settings.task_name)
