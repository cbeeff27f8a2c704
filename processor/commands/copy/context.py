"""What the segments of one copy share, and what is told of each portion that is copied."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from processor.dynamodb.expiry import NEVER, NO_EXPIRY, Expiry
from processor.dynamodb.item_view import View
from processor.dynamodb.reader import ReadableTable
from processor.dynamodb.scanner import ScannableTable
from processor.flow.rate_limiter import Capacity
from processor.flow.retry import Retry
from processor.replication.apply import Applier, Outcome, Refused
from processor.replication.fences import Fences
from processor.replication.writer import Table
from processor.state.copy_rows import SegmentState

if TYPE_CHECKING:
    import msgspec


class Unwritten(NamedTuple):
    """The numbers of items that were not written: past their TTL, or left out by the settings."""

    expired: int = 0
    filtered: int = 0


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
