"""The tables that a task's settings name, opened for reading keys from both and for writing the destination."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from processor.aws.clients import Clients
from processor.aws.direct_calls import Calls
from processor.aws.sessions import session
from processor.aws.timeouts import WriteTimeouts
from processor.dynamodb.item_view import View, without
from processor.dynamodb.reader import ReadableTable
from processor.dynamodb.scanner import ScanFilter, ScannableTable
from processor.replication.fenced_writer import FencedTable
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.writer import Conflicts, MirrorTable, UplinkTable
from processor.replication.writer import TableOptions, WritableTable
from processor.settings.settings import Settings


def source(
    settings: Settings,
    clients: Clients,
    *,
    view: View | None,
    consumed: Callable[[float], None] | None = None,
) -> ReadableTable:
    """The source's items by their keys, read consistently; see ``reconcile.Source``.

    :param view: the task's; None for the items as they are there
    :param consumed: called with the read units that each call has cost
    """
    return ReadableTable(
        settings.source_table,
        region=settings.source_region,
        connect=clients.source,
        view=view,
        marks_unseen=settings.keeps_expired,
        consumed=consumed,
    )


def scannable_source(
    settings: Settings, clients: Clients, *, view: View | None = None, scan_filter: ScanFilter | None = None
) -> ScannableTable:
    """The source's items, page by page.

    :param view: the task's; without it, the items as they are there
    :param scan_filter: that view's, for DynamoDB to leave out what it would leave out
    """
    return ScannableTable(
        settings.source_table,
        region=settings.source_region,
        connect=clients.source,
        view=view,
        scan_filter=scan_filter,
    )


def scannable_destination(settings: Settings, clients: Clients) -> ScannableTable:
    """The destination's items, page by page, as they are there: with the fence attribute, if they have it."""
    return ScannableTable(settings.destination_table, region=settings.destination_region, connect=clients.destination)


def readable_as_stored(
    settings: Settings, clients: Clients, *, consumed: Callable[[float], None] | None = None
) -> ReadableTable:
    """The destination's items as they are there: with the fence attribute, if they have it.

    :param consumed: called with the read units that each call has cost
    """
    return ReadableTable(
        settings.destination_table,
        region=settings.destination_region,
        connect=clients.destination,
        consumed=consumed,
    )


def readable(settings: Settings, clients: Clients) -> ReadableTable:
    """The destination's items as the source would have them."""
    own = settings.fence_attribute if settings.write_mode == "fenced" else None
    own = settings.marker_attribute if settings.two_way else own
    return ReadableTable(
        settings.destination_table,
        region=settings.destination_region,
        connect=clients.destination,
        view=None if own is None else without(own),
    )


def for_commands(
    settings: Settings,
    clients: Clients,
    *,
    timeouts: WriteTimeouts,
    view: View | None,
    may_write: Callable[[], None] = lambda: None,
    consumed: Callable[[float], None] | None = None,
) -> WritableTable:
    """As ``open_table``, for who writes items that were read from the source; of a two-way task with markers."""
    if not settings.two_way:
        return open_table(settings, clients, timeouts=timeouts, view=view, may_write=may_write, consumed=consumed)
    # A child has no use for it.
    from processor.replication.two_way.spoke_table import SpokeTable

    return SpokeTable(
        settings.destination_table,
        markers=Markers(settings.marker_attribute),
        hub=source(settings, clients, view=None),
        spoke=readable_as_stored(settings, clients),
        **_options(settings, timeouts=timeouts, may_write=may_write, consumed=consumed, calls=None),
    )


def open_table(
    settings: Settings,
    clients: Clients,
    *,
    timeouts: WriteTimeouts,
    view: View | None,
    may_write: Callable[[], None] = lambda: None,
    consumed: Callable[[float], None] | None = None,
    calls: Calls | None = None,
    conflicts: Conflicts | None = None,
) -> WritableTable:
    """The destination for writing, in the task's ``writeMode`` or, of a two-way task, direction.

    :param view: the task's, for ``writeMode=fenced``, which may have to read the source
    :param may_write: called as late as can be before each request; waits, or raises what the call then raises
    :param consumed: called with the write units that each call has cost
    :param calls: from before this process was forked, if it was
    :param conflicts: of an uplink: keeps them
    """
    options = _options(settings, timeouts=timeouts, may_write=may_write, consumed=consumed, calls=calls)
    if settings.direction == "mirror":
        return MirrorTable(settings.destination_table, markers=Markers(settings.marker_attribute), **options)
    if settings.direction == "uplink":
        return UplinkTable(
            settings.destination_table,
            markers=Markers(settings.marker_attribute),
            policy="lastArrival" if settings.conflicts == "lastArrival" else "hubWins",
            conflicts=conflicts,
            **options,
        )
    if settings.write_mode == "fenced":
        return FencedTable(
            settings.destination_table,
            attribute=settings.fence_attribute,
            source=source(settings, clients, view=view),
            keeps_expired=settings.keeps_expired,
            **options,
        )
    return WritableTable(settings.destination_table, **options)


def _options(
    settings: Settings,
    *,
    timeouts: WriteTimeouts,
    may_write: Callable[[], None],
    consumed: Callable[[float], None] | None,
    calls: Calls | None,
) -> TableOptions:
    return {
        "region": settings.destination_region,
        "endpoint": settings.destination_endpoint,
        "make_session": partial(session, settings.destination_identity, region=settings.destination_region),
        "connections": settings.most_concurrent_writes,
        "timeouts": timeouts,
        "may_write": may_write,
        "consumed": consumed,
        "calls": calls,
    }
