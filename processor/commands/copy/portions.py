"""A scanned page, in portions that are written and stored one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from processor.commands.copy.context import CopyContext
from processor.dynamodb.item_view import View
from processor.dynamodb.scanner import Page
from processor.replication import reconcile
from processor.replication.change import Change, viewed
from processor.replication.fences import NO_NUMBER

if TYPE_CHECKING:
    import msgspec

# The keys in hand go into a row of 400 KB at most (DynamoDB's limit of an item), and are read again in a moment.
MAX_KEYS_IN_HAND = 1000
MAX_KEY_BYTES_IN_HAND = 256 * 1024


class Scanned(NamedTuple):
    """An item of a page; ``change`` is None where it is not written."""

    key: msgspec.Raw
    change: Change | None
    expired: bool = False


def portions(page: Page, context: CopyContext) -> Iterator[tuple[list[Scanned], bool]]:
    """Cut a page: all items at once, or beside a replication as many as may be written before their second read.

    :returns: portions, each with whether it is the page's last; one empty portion for an empty page
    """
    scanned = [_scanned(item, context) for item in page.items]
    if not context.concurrent:
        yield scanned, True
        return
    portion: list[Scanned] = []
    size = 0
    for each in scanned:
        if len(portion) == MAX_KEYS_IN_HAND or size > MAX_KEY_BYTES_IN_HAND:
            yield portion, False
            portion, size = [], 0
        portion.append(each)
        size += len(bytes(each.key))
    yield portion, True


def _scanned(item: msgspec.Raw, context: CopyContext) -> Scanned:
    key = context.key_of(item)
    if context.past_ttl(item):
        return Scanned(key, None, expired=True)
    return Scanned(key, change_of(key, item, context.view))


def change_of(key: msgspec.Raw, item: msgspec.Raw, view: View | None) -> Change | None:
    """What is written of a source's item; None if nothing is."""
    put = reconcile.change_of(key, item, NO_NUMBER)
    return put if view is None else viewed(put, view)
