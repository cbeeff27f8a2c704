"""Makes what the segments of a copy share, from the settings."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from processor.aws.clients import Clients
from processor.aws.timeouts import WriteTimeouts
from processor.commands.copy.context import CopyContext, Unwritten
from processor.commands.copy.member import CopyMember
from processor.commands.copy.throttled_table import ThrottledTable
from processor.dynamodb import unit_limits
from processor.dynamodb.expiry import Expiry, PastTtl
from processor.dynamodb.keys import key_reader
from processor.errors import RefusedError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.rate_limiter import Capacity
from processor.flow.retry import Retry
from processor.flow.retry_limit import RetryLimit
from processor.replication import on_error, tables
from processor.replication.apply import Applier, Outcome, Refused
from processor.replication.change import Change
from processor.replication.coalescing import last_changes
from processor.replication.fences import Fences
from processor.replication.key_guard import KeyGuard
from processor.reporting.logs import Log
from processor.settings.settings import Settings

if TYPE_CHECKING:
    from processor.view.item_view import ItemView

# Together 8 s: less than what ``watch.WATCH_SECONDS`` leaves after a term.
TIMEOUTS = WriteTimeouts(connect=1, read=5)


def _say_estimated(setting: str) -> None:
    Log().warning(
        "capacity_estimated",
        setting=setting,
        note="The answers do not say what was consumed, so the limit is held by the items' sizes, indexes left out. "
        "Leave some room below what the table has.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Meters:
    """Measures what is consumed, how often the tables throttled, and for how long nothing has worked."""

    reading: Capacity
    writing: Capacity
    limit: RetryLimit = field(default_factory=lambda: RetryLimit(retry_policy.COPY))

    @classmethod
    def of(
        cls, settings: Settings, source: dict[str, Any], destination: dict[str, Any], *, stop: threading.Event
    ) -> Meters:
        """Meters with the settings' limits."""
        return cls(
            reading=Capacity(
                unit_limits.a_second(settings.copy_read_units, source, "ReadCapacityUnits"),
                stop=stop,
                estimated=partial(_say_estimated, "copyReadUnits"),
            ),
            writing=Capacity(
                unit_limits.a_second(settings.copy_write_units, destination, "WriteCapacityUnits"),
                stop=stop,
                estimated=partial(_say_estimated, "copyWriteUnits"),
            ),
        )


def assemble(
    settings: Settings,
    clients: Clients,
    member: CopyMember,
    source: dict[str, Any],
    *,
    meters: Meters,
    outage: Outage,
    stop: threading.Event,
    past_ttl: PastTtl,
    expiry: Expiry,
    view: ItemView | None,
    written: Callable[[Outcome, int, Unwritten], None],
) -> CopyContext:
    """Make what the segments of one run share.

    :param source: DescribeTable of it
    :param past_ttl: whether an item is past the source's TTL
    :param expiry: what stays at the destination though the source has deleted it
    :param view: the task's view of its items
    :param written: called with what became of each portion, its bytes, and how many were passed over
    """
    copy = member.work
    fenced = settings.write_mode == "fenced"
    # Before a replication nothing can be newer, so no fence is needed.
    write_mode = "batch" if fenced and not copy.concurrent else settings.write_mode
    if settings.two_way:  # there an application may have written something newer
        write_mode = "item"
    key_of = key_reader([part["AttributeName"] for part in source["KeySchema"]])
    writable = tables.for_commands(
        msgspec.structs.replace(settings, write_mode=write_mode),
        clients,
        timeouts=TIMEOUTS,
        view=view,
        may_write=member.may_write,
        consumed=meters.writing.consume,
    )
    table = ThrottledTable(writable, meters.writing, meters.limit, stop)
    refused = _refused(
        settings, KeyGuard(writable.key_types, table=settings.destination_table, region=settings.destination_region)
    )
    stored = tables.readable_as_stored(settings, clients)
    return CopyContext(
        source=tables.scannable_source(settings, clients, scan_filter=view.scan_filter if view else None),
        key_of=key_of,
        applier=Applier(
            table,
            name="copy",
            write_mode=write_mode,
            coalescing=last_changes,
            threads=settings.threads,
            refused=refused,
            outage=outage,
        ),
        table=table,
        refused=refused,
        reading=meters.reading,
        retry=Retry(retry_policy.COPY, stop, outage, limit=meters.limit),
        stop=stop,
        save=member.save,
        forbidden=settings.fence_attribute if fenced else None,
        again=tables.source(settings, clients, view=view, consumed=meters.reading.consume),
        as_it_is=tables.source(settings, clients, view=None, consumed=meters.reading.consume),
        destination=tables.readable(settings, clients) if expiry.is_archive else None,
        expiry=expiry,
        concurrent=copy.concurrent,
        past_ttl=past_ttl,
        view=view,
        fences=Fences(stored, settings.fence_attribute, key_of) if fenced and copy.concurrent else None,
        item_bytes=copy.expected_bytes / copy.expected_items if copy.expected_items else 0.0,
        written=written,
    )


def _refused(settings: Settings, guard: KeyGuard) -> Refused:
    def refused(change: Change, error: RefusedError) -> None:
        # A letter is filed by shard and number; an item that was read from the table has neither.
        shard = f"copy-{hashlib.sha256(change.identity).hexdigest()[:32]}"
        on_error.policy(settings, shard, Log(), guard)(change, error)

    return refused
