"""Writes a key from the source table itself, instead of from its stream, while replication may run.

Read the source consistently, write, read the source again; if it has changed or gone, do it once more, until it has
not. Why that is enough, in any interleaving::

          read r1            write w            read r2 = r1
     ───────┼──────────────────┼──────────────────┼──────────▶ time at the source
     changes before r1: in the image; their records, applied late, are followed by the rest up to r1's version
     changes in between: seen by r2, so we go round again
     changes after r2: their records come after w and win

It needs a stream that is read from before r1, or whose refused changes since then are kept as dead letters. Two that do
it for one key at once do no harm: the one whose write lands last reads the source after it. Whoever stops between a
write and the read that follows it may leave an older image over a newer one; so a key is done only when ``reconcile``
returns; if it raised, or the process ended, the key must be done again.

With ``ttlDeletes=ignore`` a change after r1 may be the last one before TTL deletes the item, and nothing would bring it
back if w were written over it. ``writeMode=fenced`` prevents that: w carries the number that the destination's item had
before r1. In the other modes the destination is read first (d), and w has the condition that its item is still d::

          read d        read r1        v2 applied     write w: refused       read d2 = v2       read r2: gone
     ────────┼─────────────┼───────────────┼──────────────────┼───────────────────┼──────────────────┼──────────▶
                v2 is written at the source, and deleted by TTL                      v2 is past its TTL, and stays

What the stream brings after w is newer, and wins. A condition can't see attributes that v2 has besides all of d's: w is
then written over v2, its answer shows that, and v2 is put back if the source has nothing any more. So an older image
stays only where v2 differs from d in new attributes alone, and w's answer is lost, or the process ends, before v2 is
back; or where v2 is just what d was, after another change that was applied in between, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from processor.dynamodb.absence import insisted
from processor.dynamodb.expiry import NO_EXPIRY, Expiry
from processor.dynamodb.item_view import UNSEEN
from processor.dynamodb.items import same
from processor.dynamodb.keys import identity_of
from processor.errors import UnsettledError
from processor.replication.change import Change
from processor.replication.writer import NOTHING_NEWER, OTHER, Table

if TYPE_CHECKING:
    import msgspec

# A change that no record made: the source's item as it was read.
EVENT_NAME = "RECONCILE"
# The source would have to change the key between two reads a few milliseconds apart, so often in a row.
MAX_WRITES = 50


class SourceReader(Protocol):
    """What is read; ``ReadableTable`` and the tests' fakes."""

    name: str

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        """The item of that key as DynamoDB JSON, read strongly consistently; None where there is none.

        With ``ttlDeletes=ignore``, ``UNSEEN`` where there is one of which nothing is written.

        :raises RefusedError: it is no key of this table
        :raises UnavailableError: it can't be read now
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How a key was brought up to date.

    ``moot``: the destination equalled the source, or will when TTL has deleted the item, or keeps what TTL has deleted.
    """

    kind: Literal["put", "delete", "moot"]
    writes: int = 0


def reconcile(
    key: msgspec.Raw,
    sequence_number: str,
    *,
    source: SourceReader,
    table: Table,
    destination: SourceReader | None = None,
    expiry: Expiry = NO_EXPIRY,
) -> Reconciled:
    """Make the destination's item of ``key`` the source's.

    :param key: DynamoDB JSON
    :param sequence_number: the last change of the key that is known of; the writes carry it
    :param destination: ``table`` for reading; without it every key is written, moot or not
    :param expiry: what TTL excuses, which is moot
    :returns: when the source has not changed since what was written, or was found written, was read from it
    :raises UnsettledError: the source has changed between the reads too often
    :raises RefusedError: the destination will never accept the item, or one of the tables has no such key
    :raises UnavailableError: one of the tables can't be used now; begin again from the start, later
    """
    if destination is not None and expiry.is_archive:
        return _in_archive(key, sequence_number, source=source, table=table, destination=destination, expiry=expiry)
    image = item_of(source, key)
    if destination is not None:
        # Two answers must say that it has none, where nothing would be written then.
        there = item_of(destination, key) if is_moot(image, None, expiry) else destination.get(key)
        if is_moot(image, there, expiry):
            return Reconciled(kind="moot")
    for writes in range(1, MAX_WRITES + 1):
        if image is None and expiry.keeps_all:
            return Reconciled(kind="moot", writes=writes - 1)
        change = change_of(key, image, sequence_number)
        table.write_one(change)
        before, image = image, source.get(key) if image is None else item_of(source, key)
        if same(before, image):
            return Reconciled(kind="delete" if change.image is None else "put", writes=writes)
    raise _unsettled(key, source, table)


def item_of(table: SourceReader, key: msgspec.Raw) -> msgspec.Raw | None:
    """A table's item; None where two answers in a row say so.

    For nothing at the source an item is deleted, and for nothing in both tables a dead letter goes.
    """
    return insisted(lambda: table.get(key))


def _unsettled(key: msgspec.Raw, source: SourceReader, table: Table) -> UnsettledError:
    message = (
        f"Table {source.name} changed key {bytes(key).decode()} each of the {MAX_WRITES} times that it was copied to "
        f"table {table.name}, which may hold an older image of it now. Do it again when the key changes less often."
    )
    return UnsettledError(message)


def _in_archive(
    key: msgspec.Raw,
    sequence_number: str,
    *,
    source: SourceReader,
    table: Table,
    destination: SourceReader,
    expiry: Expiry,
) -> Reconciled:
    """``reconcile``, where the destination keeps what TTL has deleted.

    ``there`` is what it has, as far as is known from before the source was last read. ``latest`` is what it may keep if
    the source has nothing: that, or whatever a write of ours has taken the place of. ``is_sure``: that it has nothing
    is not known from a single answer.
    """
    writes = 0
    is_sure = False
    there = latest = destination.get(key)
    for _ in range(MAX_WRITES):
        image = item_of(source, key)
        if image is None:
            wanted = latest if latest is not None and expiry.excuses(None, latest) else None
        else:
            wanted = None if image is UNSEEN else image
        if wanted is None and there is None and not is_sure:
            # Nothing would be written, by one answer; the source must be read after the other one.
            is_sure = True
            there = latest = destination.get(key)
            continue
        if same(wanted, there):
            is_moot = writes == 0 or (image is None and there is not None)
            return Reconciled(kind="moot" if is_moot else "delete" if there is None else "put", writes=writes)
        before = table.exchange(change_of(key, wanted, sequence_number), there)
        if before is OTHER:
            is_sure = False
            there = latest = destination.get(key)
        else:
            writes += 1
            is_sure = True
            latest = wanted if before is NOTHING_NEWER or same(before, there) else before
            there = wanted
    raise _unsettled(key, source, table)


def is_moot(source: msgspec.Raw | None, destination: msgspec.Raw | None, expiry: Expiry) -> bool:
    """Whether nothing need be written, whatever the two tables have of a key; None stands for no item."""
    if source is UNSEEN:
        return destination is None
    return same(source, destination) or expiry.excuses(source, destination)


def change_of(key: msgspec.Raw, image: msgspec.Raw | None, sequence_number: str) -> Change:
    """What writes the item that was read of a key, in no record's name; None, and ``UNSEEN``, delete it."""
    if image is UNSEEN:
        image = None
    return Change(
        kind="delete" if image is None else "put",
        identity=identity_of(key),
        key=key,
        image=image,
        sequence_number=sequence_number,
        created_ms=0,
        event_name=EVENT_NAME,
    )
