"""The second look at the source that each key needs which is copied beside a replication.

An old image may be written over what the stream wrote, or bring back what it deleted. So after each write the source is
read again, and what has changed is brought up to date (``reconcile.py`` has the rule, and why it is enough).

With ``ttlDeletes=ignore`` that is not enough: an image that was read long ago, written over what the stream brought
last before TTL deleted the item, would be kept instead. So no image of a page is written then, only what is read of a
key just before (``reconcile.py``), and only where the two tables differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from processor.commands.copy.context import CopyContext
from processor.commands.copy.portions import change_of
from processor.dynamodb.items import same
from processor.dynamodb.keys import identity_of
from processor.dynamodb.reader import ReadableTable
from processor.errors import RefusedError, UnavailableError, UnsettledError, UnviewableError
from processor.replication.apply import Outcome
from processor.replication.change import Change
from processor.replication.fences import NO_NUMBER
from processor.replication.reconcile import reconcile

if TYPE_CHECKING:
    import msgspec


class SecondLook:
    """Looks at keys that were written, or are about to be.

    :param context: its tables are used, and its retries
    """

    def __init__(self, context: CopyContext) -> None:
        self._context = context

    def of_differing(self, changes: Sequence[Change]) -> Outcome:
        """Bring up to date what differs in both tables."""
        context = self._context
        assert context.destination is not None  # noqa: S101  # with such an expiry there is one
        there = self._by_identity(context.destination, changes)
        here = self._by_identity(context.as_it_is, changes)
        for change in changes:
            if not self._is_moot(change.key, here.get(change.identity), there.get(change.identity)):
                self._reconcile(change.key)
        return Outcome(records=len(changes), puts=len(changes))

    def _is_moot(self, key: msgspec.Raw, source: msgspec.Raw | None, destination: msgspec.Raw | None) -> bool:
        if source is None:  # deleted since; or an answer lacks it that is wrong, and it is read once more
            return False
        change = change_of(key, source, self._context.view)
        if change is None:
            return destination is None
        return change.fault is None and same(change.image, destination)

    def _by_identity(self, table: ReadableTable, changes: Sequence[Change]) -> dict[bytes, msgspec.Raw]:
        items = self._context.retry(lambda: table.get_many([change.key for change in changes]))
        return {identity_of(self._context.key_of(item)): item for item in items}

    def of_written(self, changes: Sequence[Change]) -> None:
        """Bring up to date what the source has changed since it was read for these writes."""
        now = self._by_identity(self._context.as_it_is, changes)
        for change in changes:
            item = now.get(change.identity)
            if not same(change.source_item or change.image, item) and not self._is_seen_alike(change, item):
                self._reconcile(change.key)

    def _is_seen_alike(self, change: Change, item: msgspec.Raw | None) -> bool:
        """Whether an item that has changed still makes what was written of it."""
        view = self._context.view
        if view is None or change.fault is not None:
            return False
        try:
            return same(change.image, None if item is None else view(item))
        except UnviewableError:
            return False

    def of_keys(self, keys: Sequence[msgspec.Raw]) -> None:
        """Bring keys of a run that was killed up to date: they may hold an older image, or a deleted one.

        A copy before a replication has them too, where it was begun instead of one beside it: their records may have
        been applied, and not come again.
        """
        for key in keys:
            self._reconcile(key)

    def _reconcile(self, key: msgspec.Raw) -> None:
        context = self._context

        def once() -> None:
            number = context.fences.of(key) if context.fences else NO_NUMBER
            try:
                reconcile(
                    key,
                    number,
                    source=context.again,
                    table=context.table,
                    destination=context.destination,
                    expiry=context.expiry,
                )
            except UnsettledError as exc:  # the key stays in hand
                raise UnavailableError(str(exc), code="Unsettled") from exc
            except RefusedError as exc:
                self._refuse(key, exc)

        context.retry(once)

    def _refuse(self, key: msgspec.Raw, refusal: RefusedError) -> None:
        """Have it decided what becomes of an item that the destination will never accept."""
        context = self._context
        try:
            item = context.as_it_is.get(key)
        except RefusedError:  # both tables were made anew, with another key than when it was kept
            return
        change = None if item is None else change_of(key, item, context.view)
        if change is not None:  # else it is to be deleted, at the next try
            context.refused(change, refusal)
