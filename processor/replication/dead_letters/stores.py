"""Makes the stores of what is kept for a person, in a file or a bucket: dead letters, and an uplink's conflicts."""

from __future__ import annotations

from collections.abc import Callable

from processor.aws.clients import Clients
from processor.aws.s3 import Bucket
from processor.replication.dead_letters.file_store import LetterFile
from processor.replication.dead_letters.letter import CONFLICTS, DEAD_LETTERS, LetterStore, Words
from processor.replication.dead_letters.s3_store import LetterBucket
from processor.settings.letters_place import LettersPlace
from processor.settings.settings import Settings

MakeClients = Callable[[Settings], Clients]


def of_letters(
    settings: Settings, make_clients: MakeClients = Clients, *, for_shards: bool = False
) -> LetterStore | None:
    """Where the settings keep dead letters; None where they name no place.

    :param for_shards: a shard waits while a letter is stored, and tries again where it isn't
    """
    return _store(settings.dead_letters_place, settings, DEAD_LETTERS, make_clients, for_shards=for_shards)


def of_conflicts(
    settings: Settings, make_clients: MakeClients = Clients, *, for_shards: bool = False
) -> LetterStore | None:
    """Where the settings of an uplink keep conflicts; None where they name no place.

    :param for_shards: as ``of_letters`` has it
    """
    return _store(settings.conflicts_place, settings, CONFLICTS, make_clients, for_shards=for_shards)


def _store(
    place: LettersPlace | None, settings: Settings, words: Words, make_clients: MakeClients, *, for_shards: bool
) -> LetterStore | None:
    if place is None:
        return None
    if place.path is not None:
        return LetterFile(place.path, shared=settings.allow_shared_folders, words=words)
    clients = make_clients(settings)
    bucket = bucket_of(place, clients, for_shards=for_shards)
    return LetterBucket(bucket, prefix=place.prefix, task_name=settings.task_name, words=words)


def bucket_of(place: LettersPlace, clients: Clients, *, for_shards: bool = False) -> Bucket:
    """The bucket of a place that is in one; it must belong to the account that the place names, or else to the task's.

    :param for_shards: as ``of_letters`` has it
    """
    connect = clients.s3_for_shards if for_shards else clients.s3
    return Bucket(place.bucket or "", connect=connect, owner=lambda: place.owner or clients.task_account())
