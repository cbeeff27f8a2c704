"""What one shard's record processor is made of, by the settings."""

from __future__ import annotations

import importlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from processor.aws.clients import Clients
from processor.aws.direct_calls import Calls
from processor.aws.timeouts import WriteTimeouts
from processor.errors import ReplicatorError
from processor.flow.outage import Outage
from processor.metrics.sinks import sinks
from processor.replication import on_error, tables
from processor.replication.apply import Applier
from processor.replication.checkpoint import Checkpoint
from processor.replication.coalescing import Coalescing, every_change, last_changes, net_changes
from processor.replication.dead_letters import stores
from processor.replication.heartbeats import Heartbeats
from processor.replication.key_guard import KeyGuard
from processor.replication.lease_term import DIRECTORY, LeaseTerm
from processor.replication.meter import Meter, NoMeter
from processor.replication.record_counts import DIRECTORY as COUNTS_DIRECTORY
from processor.replication.record_counts import RecordCounts
from processor.replication.record_processor import Shard
from processor.replication.standstill import Standstill
from processor.replication.two_way.chains import chained
from processor.replication.two_way.conflict_log import ConflictLog
from processor.replication.two_way.marker import Markers
from processor.reporting.logs import Log
from processor.settings.daemon_files import shard_file_name
from processor.settings.settings import Settings
from processor.state.hold_files import HoldFiles
from processor.state.hold_rows import HoldRows
from processor.view import task_view

if TYPE_CHECKING:
    from processor.view.item_view import ItemView

# What a child would import with its first connection: 2 MB of its own memory.
_LATE_IMPORTS = ("encodings.idna", "stringprep", "unicodedata")


def _meter(settings: Settings, shard_id: str, directory: Path, log: Log, *, filters: bool) -> Meter:
    asked = sinks(settings, os.environ)
    if not asked:
        return NoMeter()
    # prometheus_client is a tenth of a child's start.
    from processor.metrics import shard_files
    from processor.replication import safe_meter
    from processor.replication.shard_meter import ShardMeter

    written_ms = Heartbeats(settings.task_name).written_ms if "heartbeat" in asked else None
    try:
        meter = ShardMeter(
            directory / shard_files.DIRECTORY,
            task=settings.task_name,
            shard_id=shard_id,
            filters=filters,
            direction=settings.direction,
            written_ms=written_ms,
        )
    except Exception as exc:  # noqa: BLE001  # whatever it is, the shard is to be replicated
        safe_meter.say(log, exc)
        return NoMeter()
    return safe_meter.SafeMeter(meter, log)


def _coalescing(settings: Settings) -> Coalescing:
    if not settings.coalesce:
        return every_change
    if settings.direction == "uplink":  # it knows what an application has written by its old image, too
        return chained
    return net_changes if settings.write_mode == "fenced" else last_changes


def _conflicts(settings: Settings, shard_id: str, log: Log, meter: Meter) -> ConflictLog:
    store = stores.of_conflicts(settings, for_shards=True)
    return ConflictLog(store, settings=settings, shard_id=shard_id, log=log, counted=meter.conflicted)


class Shared(NamedTuple):
    """What the children of a task share, because they are forked from one process; no connection is open yet."""

    clients: Clients
    calls: Calls | None
    view: ItemView | None


def share(settings: Settings, directory: Path) -> Shared:
    """What shards can share; what can't be made now is made by each of them when it is needed, and said then.

    :param directory: the daemon's
    :raises SetupError: the view of the items can't be made
    """
    view = task_view.handed_down(settings, directory)
    for module in _LATE_IMPORTS:
        importlib.import_module(module)
    if sinks(settings, os.environ):
        importlib.import_module("processor.replication.shard_meter")
    clients = Clients(settings)
    timeouts = WriteTimeouts.within(settings.failover_seconds)
    table = tables.open_table(settings, clients, timeouts=timeouts, view=view)
    try:
        if settings.write_mode == "fenced":
            clients.source()
        return Shared(clients, table.connect(), view)
    except ReplicatorError:
        return Shared(clients, None, view)


def open_shard(
    settings: Settings, shard_id: str, *, directory: Path, gone: threading.Event, shared: Shared | None = None
) -> Shard:
    """Make everything that one shard's record processor needs.

    :param directory: the daemon's, with the files that say how long each shard may be written, and those of its metrics
    :param shared: made before this process was forked, if it was
    """
    log = Log(shard=shard_id)
    timeouts = WriteTimeouts.within(settings.failover_seconds)
    term = LeaseTerm(directory / DIRECTORY / shard_file_name(shard_id), call_seconds=timeouts.call, gone=gone)
    clients, calls, view = shared or (Clients(settings), None, task_view.handed_down(settings, directory))
    if shared is not None:
        task_view.at_home(settings)
    filters = view is not None or settings.keeps_expired
    meter = _meter(settings, shard_id, directory, log, filters=filters)
    is_uplink = settings.direction == "uplink"
    table = tables.open_table(
        settings,
        clients,
        timeouts=timeouts,
        view=view,
        may_write=term.may_write,
        calls=calls,
        conflicts=_conflicts(settings, shard_id, log, meter) if is_uplink else None,
    )
    guard = KeyGuard(table.key_types, table=settings.destination_table, region=settings.destination_region)
    checkpoint = Checkpoint(
        log, gone=gone, interval_seconds=settings.checkpoint_interval_millis / 1000, stored=meter.checkpointed
    )
    unrecorded = Outage(
        log,
        "hold_unrecorded",
        note="Replication is as it was, but status does not know what keeps this shard from going on.",
    )
    standstill = Standstill(
        shard_id,
        files=HoldFiles(directory, shard_id),
        rows=HoldRows(clients.checkpoints, settings.task_table, shard_id, unrecorded),
        may_write=term.may_write,
        log=log,
        held=meter.held,
    )
    outage = Outage(
        log,
        "writes_delayed",
        note="Nothing is lost: the batch is kept, uncheckpointed, and written again until the destination takes it.",
        lasting=standstill.failing,
    )
    applier = Applier(
        table,
        name=shard_id,
        # Two-way's writes are single ones.
        write_mode="item" if settings.two_way else settings.write_mode,
        coalescing=_coalescing(settings),
        threads=settings.most_concurrent_writes,
        refused=on_error.holding(settings, shard_id, log, guard),
        outage=outage,
        holding=standstill,
        earlier=checkpoint,
        retried=meter.retried,
    )
    return Shard(
        applier=applier,
        log=log,
        meter=meter,
        standstill=standstill,
        view=view,
        keeps_expired=settings.keeps_expired,
        spoke=Markers(settings.marker_attribute) if is_uplink else None,
        checkpoint=checkpoint,
        counts=RecordCounts(directory / COUNTS_DIRECTORY / shard_file_name(shard_id)),
    )
