"""Reads a first page of the source, to learn how large items are and what reading them consumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from processor.dynamodb.item_view import View
from processor.dynamodb.items import parsed
from processor.dynamodb.scanner import Segment
from processor.errors import UnviewableError
from processor.flow.retry import Retry
from processor.replication import tables

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

# A scan goes by the hash of the keys, so the first items are as good a sample as any.
SAMPLE_ITEMS = 200


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Some items of the source.

    :param items: those that are written, as they are written, each ``{name: {type: value}}``
    :param share: the part of the items read that are written, 0 to 1
    :param scan_units_per_item: None where the store does not say what it has consumed
    """

    items: list[dict[str, dict[str, Any]]] = []
    share: float = 1.0
    scan_units_per_item: float | None = None


def take(settings: Settings, clients: Clients, retry: Retry, view: View | None) -> Sample:
    """Read a first page.

    :param view: the task's view of its items
    :raises UnavailableError: it can't be read
    """
    source = tables.scannable_source(settings, clients)
    page = retry(lambda: source.page(Segment(0, 1), limit=SAMPLE_ITEMS))
    units = page.units / len(page.items) if page.items and page.units else None
    seen = page.items if view is None else [seen for item in page.items if (seen := _seen(view, item)) is not None]
    share = len(seen) / len(page.items) if page.items else 1.0
    return Sample(items=[parsed(item) for item in seen], share=share, scan_units_per_item=units)


def _seen(view: View, item: msgspec.Raw) -> msgspec.Raw | None:
    try:
        return view(item)
    except UnviewableError:
        return None
