"""A dead letter: one change that the destination would not take, as one JSON object.

Pure; ``file_store.py`` and ``s3_store.py`` keep them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol

import msgspec

from processor.dynamodb.keys import identity_of
from processor.flow import shapes


class Letter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All that is needed to apply the change again; ``table`` and ``region`` are the destination's.

    ``new_image`` is the source's item, or with ``deadLetterMasked`` what would have been written of it.
    """

    time: str
    task_name: str
    table: str
    region: str
    shard_id: str
    sequence_number: str
    event_name: str
    error: str
    reason: str
    key: msgspec.Raw
    new_image: msgspec.Raw | None

    @property
    def name(self) -> str:
        """Of all letters of its shard."""
        return self.sequence_number


class Kept(Protocol):
    """What a store keeps for good: a letter, or a conflict of a two-way task. It is a struct, stored as JSON."""

    @property
    def shard_id(self) -> str:
        """The shard of the change that it is about."""

    @property
    def sequence_number(self) -> str:
        """The change's."""

    @property
    def name(self) -> str:
        """Of everything of its kind and shard; what is kept again under the same name takes the earlier one's place."""


class Words(NamedTuple):
    """How messages name what a store keeps, the setting that says where, and what becomes of a change without it."""

    what: str
    setting: str
    fate: str


DEAD_LETTERS = Words("dead letters", "deadLetterUri", "could not be set aside")
CONFLICTS = Words("conflicts", "conflictUri", "is not applied")


class Heading(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A letter without its image, which may be large and is not needed to bring its key up to date."""

    task_name: str
    table: str
    region: str
    sequence_number: str
    key: msgspec.Raw
    reason: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in one place, such as ``dead.jsonl:7``.

    ``tag`` tells this content from any that stands there later. ``heading`` is None where there is no letter, and
    ``problem`` says why.
    """

    place: str
    tag: str
    heading: Heading | None
    problem: str = ""


class LetterStore(Protocol):
    """Keeps letters until they are removed; ``LetterFile`` and ``LetterBucket``."""

    place: str

    def put(self, letter: Kept) -> None:
        """Keep a letter, or a conflict, for good; returns when it would survive a loss of power.

        :raises UnavailableError: not now
        :raises DeadLetterError: not until somebody puts something right
        """

    def entries(self) -> Iterator[Entry]:
        """Everything that is there now.

        :raises UnavailableError: it can't be read
        :raises DeadLetterError: it can't be read until somebody puts something right
        """

    def count(self, most: int) -> int:
        """How many entries there are; ``most`` + 1 where there are more, so that counting them has an end.

        :raises UnavailableError: they can't be looked at
        :raises DeadLetterError: they can't be looked at until somebody puts something right
        """

    def remove(self, entries: Collection[Entry]) -> int:
        """Remove these, where they still are what they were; whatever was added meanwhile stays.

        :returns: how many were there to be removed
        :raises UnavailableError: some may still be there
        :raises DeadLetterError: they can't be removed until somebody puts something right
        """


def encode(letter: Kept) -> bytes:
    """One line of JSON, without the newline."""
    return msgspec.json.encode(letter)


_decoder = shapes.decoder(Heading)


def entry(place: str, tag: str, content: bytes) -> Entry:
    """Decode what was found; an entry with a ``problem`` if it isn't a letter."""
    try:
        heading = _decoder.decode(content)
        identity_of(heading.key)
        int(heading.sequence_number)
    except (msgspec.DecodeError, ValueError) as exc:  # the former's words show no content
        problem = str(exc) if isinstance(exc, msgspec.DecodeError) else "its key or sequence number is none"
        return Entry(place=place, tag=tag, heading=None, problem=f"not a dead letter ({problem})")
    return Entry(place=place, tag=tag, heading=msgspec.structs.replace(heading, key=heading.key.copy()))


def folder_of(prefix: str, task_name: str) -> str:
    """The prefix of the names of a task's letters."""
    return f"{prefix}/{task_name}/" if prefix else f"{task_name}/"
