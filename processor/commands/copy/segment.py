"""Copies one segment: scan → write → (beside a replication: read again) → store the position.

**Before a replication** nothing more is needed: whatever a page holds that is out of date, the stream's records, kept
since before the first page, put right.

**Beside a replication** each key needs a second look (``second_look.py``). Whoever is killed between a write and that
look must come back to those keys, which may not even be on the rescanned page any more, for the source has deleted
them: so they are kept, with where the segment goes on, *before* they are written.

An item past the source's TTL is passed over (``expiry.py``): whatever changes it later is in the stream. One that was
written, and is past it at the second look, is brought up to date as any other: the destination has an older image.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from processor.commands.copy.context import CopyContext, Unwritten
from processor.commands.copy.estimate import SCAN_SHARE
from processor.commands.copy.portions import Scanned, portions
from processor.commands.copy.second_look import SecondLook
from processor.dynamodb.scanner import Page, Segment, believed_page
from processor.errors import RefusedError, StoppedError
from processor.flow import shapes
from processor.flow.rate_limiter import READ_UNIT_BYTES
from processor.replication.apply import Outcome
from processor.replication.change import Change, bytes_of
from processor.replication.fences import NO_NUMBER
from processor.state.copy_rows import SegmentState

# A page should not use up more than this many seconds of what may be read.
_PAGE_SECONDS = 1.0
_BYTES_PER_READ_UNIT = READ_UNIT_BYTES / SCAN_SHARE

_attributes_decoder = shapes.decoder(dict[str, msgspec.Raw])


class SegmentCopy:
    """Copies what is left of one segment."""

    def __init__(self, segment: Segment, state: SegmentState, context: CopyContext) -> None:
        self.state = state
        self._segment = segment
        self._context = context
        self._second_look = SecondLook(context)

    def run(self) -> None:
        """Copy to the segment's end.

        :raises StoppedError: the stop came first
        :raises ReplicatorError: it can't go on; ``state`` is where it is resumed
        """
        if self.state.in_hand:
            self._second_look.of_keys(self.state.in_hand)
            if self.state.done:  # an earlier copy's, which was made in more segments
                self._save(in_hand=[])
        while not self.state.done:
            page = believed_page(self._read, self.state.start, self._context.key_of)
            left_out = page.scanned - len(page.items)  # by DynamoDB, which was asked to
            for items, is_last in portions(page, self._context):
                self._copy(items, page, left_out=left_out if is_last else 0, is_last=is_last)

    def _read(self, start: msgspec.Raw | None) -> Page:
        return self._context.retry(lambda: self._scan(start))

    def _scan(self, start: msgspec.Raw | None) -> Page:
        reading = self._context.reading
        limit = None
        if reading.units_per_second is not None:
            size = reading.units_per_second * _PAGE_SECONDS * _BYTES_PER_READ_UNIT
            limit = max(1, int(size / max(self._context.item_bytes, 1.0)))
        with reading.reserve(0.0):
            self._check_stop()
            page = self._context.source.page(self._segment, start, limit=limit)
        reading.consume(page.units)
        return page

    def _copy(self, scanned: list[Scanned], page: Page, *, left_out: int, is_last: bool) -> None:
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
            return self._second_look.of_differing(changes)
        outcome = self._write(self._numbered(changes))
        self._second_look.of_written(changes)
        return outcome

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
