"""Copies one segment: scan → write → (beside a replication: read again) → store the position.

**Before a replication** nothing more is needed: whatever a page holds that is out of date, the stream's records, kept
since before the first page, put right.

**Beside a replication** an old image may be written over what the stream wrote, or bring back what it deleted. So after
each write the source is read again, and what has changed is brought up to date (``reconcile.py`` has the rule, and why
it is enough). Whoever is killed between a write and that second look must come back to those keys, which may not even
be on the rescanned page any more, for the source has deleted them: so they are kept, with where the segment goes on,
*before* they are written.

With ``ttlDeletes=ignore`` that is not enough: an image that was read long ago, written over what the stream brought
last before TTL deleted the item, would be kept instead. So no image of a page is written then, only what is read of a
key just before (``reconcile.py``), and only where the two tables differ.

An item past the source's TTL is passed over (``expiry.py``): whatever changes it later is in the stream. One that was
written, and is past it at the second look, is brought up to date as any other: the destination has an older image.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from processor.commands.copy.estimate import SCAN_SHARE
from processor.dynamodb.expiry import NEVER, NO_EXPIRY, Expiry
from processor.dynamodb.item_view import View
from processor.dynamodb.items import same
from processor.dynamodb.keys import identity_of
from processor.dynamodb.reader import ReadableTable
from processor.dynamodb.scanner import Page, ScannableTable, Segment
from processor.errors import RefusedError, StoppedError, UnavailableError, UnsettledError, UnviewableError
from processor.flow.rate_limiter import READ_UNIT_BYTES, Capacity
from processor.flow.retry import Retry
from processor.replication.apply import Applier, Outcome, Refused
from processor.replication.change import Change, bytes_of, viewed
from processor.replication.fences import NO_NUMBER, Fences
from processor.replication.reconcile import EVENT_NAME, is_moot, reconcile
from processor.replication.writer import Table
from processor.state.copy_rows import SegmentState

# The keys in hand go into a row of 400 KB at most (DynamoDB's limit of an item), and are read again in a moment.
MAX_KEYS_IN_HAND = 1000
MAX_KEY_BYTES_IN_HAND = 256 * 1024
# A page should not use up more than this many seconds of what may be read.
_PAGE_SECONDS = 1.0
_BYTES_PER_READ_UNIT = READ_UNIT_BYTES / SCAN_SHARE

_attributes_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyContext:
    """What the segments of one copy share.

    :param refused: what becomes of an item that the destination will never accept; see ``apply.py``
    :param forbidden: an attribute that no item may have, for the destination's items will have it
    :param view: the task's view of its items
    :param again: the source by key, through the view
    :param as_it_is: the source by key without a view, for second reads and dead letters
    :param destination: with ``expiry`` says what stays there though the source has deleted it
    :param retry: makes calls again, and counts with ``table`` for how long nothing has worked
    :param concurrent: the copy is made beside a replication
    :param fences: the sequence numbers that the destination's items carry, where ``writeMode=fenced`` needs them
    :param past_ttl: whether an item is past the source's TTL, and so is not copied
    :param item_bytes: the average size of an item, if it is known
    """

    source: ScannableTable
    key_of: Callable[[msgspec.Raw], msgspec.Raw]
    applier: Applier
    table: Table
    refused: Refused
    reading: Capacity
    retry: Retry
    stop: threading.Event
    save: Callable[[SegmentState], None]
    again: ReadableTable
    as_it_is: ReadableTable
    destination: ReadableTable | None = None
    expiry: Expiry = NO_EXPIRY
    concurrent: bool
    past_ttl: Callable[[msgspec.Raw], bool] = NEVER
    view: View | None = None
    forbidden: str | None = None
    fences: Fences | None = None
    item_bytes: float = 0.0
    written: Callable[[Outcome, int, Unwritten], None] = lambda *_: None


class Unwritten(NamedTuple):
    """The numbers of items that were not written: past their TTL, or left out by the settings."""

    expired: int = 0
    filtered: int = 0


class _Scanned(NamedTuple):
    """An item of a page; ``change`` is None where it is not written."""

    key: msgspec.Raw
    change: Change | None
    expired: bool = False


class SegmentCopy:
    """Copies what is left of one segment."""

    def __init__(self, segment: Segment, state: SegmentState, context: CopyContext) -> None:
        self.state = state
        self._segment = segment
        self._context = context

    def run(self) -> None:
        """Copy to the segment's end.

        :raises StoppedError: the stop came first
        :raises ReplicatorError: it can't go on; ``state`` is where it is resumed
        """
        if self.state.in_hand:
            self._look_after(self.state.in_hand)
            if self.state.done:  # an earlier copy's, which was made in more segments
                self._save(in_hand=[])
        while not self.state.done:
            page = self._context.retry(self._read)
            left_out = page.scanned - len(page.items)  # by DynamoDB, which was asked to
            for items, is_last in _portions(page, self._context):
                self._copy(items, page, left_out=left_out if is_last else 0, is_last=is_last)

    def _read(self) -> Page:
        reading = self._context.reading
        limit = None
        if reading.units_per_second is not None:
            size = reading.units_per_second * _PAGE_SECONDS * _BYTES_PER_READ_UNIT
            limit = max(1, int(size / max(self._context.item_bytes, 1.0)))
        with reading.reserve(0.0):
            self._check_stop()
            page = self._context.source.page(self._segment, self.state.start, limit=limit)
        reading.consume(page.units)
        return page

    def _copy(self, scanned: list[_Scanned], page: Page, *, left_out: int, is_last: bool) -> None:
        kept = [each.change for each in scanned if each.change is not None]
        outcome = self._write_and_look(kept) if self._context.concurrent else self._write(kept)
        size = sum(len(bytes_of(change)) for change in kept)
        expired = sum(each.expired for each in scanned)
        unwritten = Unwritten(expired, left_out + len(scanned) - len(kept) - expired)
        self._save(
            start=page.last_key if is_last else scanned[-1].key,
            done=is_last and page.last_key is None,
            items=self.state.items + len(kept),
            size_bytes=self.state.size_bytes + size,
            expired=self.state.expired + expired,
            filtered=self.state.filtered + unwritten.filtered,
            in_hand=[],
        )
        self._context.written(outcome, size, unwritten)

    def _write(self, changes: Sequence[Change]) -> Outcome:
        if self._context.forbidden is not None:
            changes = [change for change in changes if not self._is_forbidden(change)]
        return self._context.applier.apply(changes)

    def _is_forbidden(self, change: Change) -> bool:
        """Whether an item has the attribute that the destination's items will have."""
        name = self._context.forbidden or ""
        # The bytes are looked at first, for hardly any item will have it.
        image = bytes_of(change)
        if msgspec.json.encode(name) not in image or name not in _attributes_decoder.decode(image):
            return False
        message = f"The source's item has an attribute {name} of its own. Name another one in fenceAttribute"
        self._context.refused(change, RefusedError(message, code="FenceAttributeTaken"))
        return True

    def _write_and_look(self, changes: Sequence[Change]) -> Outcome:
        if not changes:
            return Outcome()
        self._save(in_hand=[change.key for change in changes])
        if self._context.expiry.is_archive:
            return self._reconcile_differing(changes)
        outcome = self._write(self._numbered(changes))
        self._look_again(changes)
        return outcome

    def _reconcile_differing(self, changes: Sequence[Change]) -> Outcome:
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
        if source is None:
            return is_moot(None, destination, self._context.expiry)
        change = _change(key, source, self._context.view)
        if change is None:
            return destination is None
        return change.fault is None and same(change.image, destination)

    def _by_identity(self, table: ReadableTable, changes: Sequence[Change]) -> dict[bytes, msgspec.Raw]:
        items = self._context.retry(lambda: table.get_many([change.key for change in changes]))
        return {identity_of(self._context.key_of(item)): item for item in items}

    def _look_again(self, changes: Sequence[Change]) -> None:
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

    def _look_after(self, keys: Sequence[msgspec.Raw]) -> None:
        """Bring keys of a run that was killed up to date: they may hold an older image, or a deleted one.

        A copy before a replication has them too, where it was begun instead of one beside it: their records may have
        been applied, and not come again.
        """
        for key in keys:
            self._reconcile(key)

    def _reconcile(self, key: msgspec.Raw) -> None:
        context = self._context
        source = context.again

        def once() -> None:
            number = context.fences.of(key) if context.fences else NO_NUMBER
            try:
                reconcile(
                    key,
                    number,
                    source=source,
                    table=context.table,
                    destination=context.destination,
                    expiry=context.expiry,
                )
            except UnsettledError as exc:  # the key stays in hand
                raise UnavailableError(str(exc), code="Unsettled") from exc
            except RefusedError as exc:
                try:
                    item = context.as_it_is.get(key)
                except RefusedError:  # both tables were made anew, with another key than when it was kept
                    return
                change = None if item is None else _change(key, item, context.view)
                if change is not None:  # else it is to be deleted, at the next try
                    context.refused(change, exc)

        self._context.retry(once)

    def _numbered(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Give changes the sequence numbers of the destination's items; ``writeMode=fenced`` writes over no others."""
        fences = self._context.fences
        if fences is None:
            return changes
        numbers = self._context.retry(lambda: fences.of_many([change.key for change in changes]))
        return [
            msgspec.structs.replace(change, sequence_number=numbers.get(change.identity, NO_NUMBER))
            for change in changes
        ]

    def _save(self, **fields: object) -> None:
        state = msgspec.structs.replace(self.state, **fields)
        self._context.retry(lambda: self._context.save(state))
        self.state = state

    def _check_stop(self) -> None:
        if self._context.stop.is_set():
            raise StoppedError


def _portions(page: Page, context: CopyContext) -> Iterator[tuple[list[_Scanned], bool]]:
    """Cut a page: all items at once, or beside a replication as many as may be written before their second read.

    :returns: portions, each with whether it is the page's last; one empty portion for an empty page
    """
    scanned = [_scanned(item, context) for item in page.items]
    if not context.concurrent:
        yield scanned, True
        return
    portion: list[_Scanned] = []
    size = 0
    for each in scanned:
        if len(portion) == MAX_KEYS_IN_HAND or size > MAX_KEY_BYTES_IN_HAND:
            yield portion, False
            portion, size = [], 0
        portion.append(each)
        size += len(bytes(each.key))
    yield portion, True


def _scanned(item: msgspec.Raw, context: CopyContext) -> _Scanned:
    key = context.key_of(item)
    if context.past_ttl(item):
        return _Scanned(key, None, expired=True)
    return _Scanned(key, _change(key, item, context.view))


def _change(key: msgspec.Raw, item: msgspec.Raw, view: View | None) -> Change | None:
    """What is written of a source's item; None if nothing is."""
    put = Change(
        kind="put",
        identity=identity_of(key),
        key=key,
        image=item,
        sequence_number=NO_NUMBER,
        created_ms=0,
        event_name=EVENT_NAME,
    )
    return put if view is None else viewed(put, view)
