"""Runs a copy by way of S3: ``lock.py`` keeps its row, ``transfer.py`` does the work."""

from __future__ import annotations

import threading
import time

from processor.aws.clients import Clients
from processor.commands.copy.lock import CopyLock
from processor.commands.copy.report import CopyReport
from processor.commands.copy.s3 import transfer
from processor.commands.copy.s3.transfer import SavedTransfer
from processor.reporting import output
from processor.reporting.progress import Progress
from processor.settings.settings import Settings
from processor.startup import destination


def run(settings: Settings, clients: Clients, lock: CopyLock, *, stop: threading.Event) -> CopyReport:
    """Export and import, or resume what the row says that an earlier run had begun.

    :raises StoppedError: the stop came first; AWS goes on with what it was told
    :raises ReplicatorError: it can't go on
    """
    began, copy = time.monotonic(), lock.copy
    progress = Progress()
    saved = SavedTransfer(
        id=copy.id,
        started_ms=copy.started_ms,
        stream_arn=copy.stream_arn,
        export_arn=copy.export_arn,
        import_arn=copy.import_arn,
    )
    counts = transfer.run(settings, clients, copy.via, saved=saved, save=lock.change, progress=progress.say, stop=stop)
    progress.close()
    for finding in counts.findings:
        output.say(*finding.lines)
    made = destination.describe(clients.destination(), settings.destination_table, settings.destination_region) or {}
    lock.change(
        state="done",
        finished_ms=int(time.time() * 1000),
        destination_id=made.get("TableId", ""),
        items=counts.items,
        size_bytes=counts.size_bytes,
    )
    return CopyReport(
        items=counts.items,
        size_bytes=counts.size_bytes,
        items_before=0,
        set_aside=0,
        seconds=round(time.monotonic() - began, 3),
        read_units=0.0,
        write_units=0.0,
        throttles=0,
        concurrent=False,
        replicating=False,
        onto_items=False,
        started_ms=copy.started_ms,
    )
