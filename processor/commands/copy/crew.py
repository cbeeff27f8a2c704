"""The processes of one machine that work on a copy."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.commands.copy.totals import Counts
from processor.commands.copy.worker import CopyTask, CopyWorker
from processor.errors import CopyTakenError
from processor.flow.outage import Outage
from processor.state.sharing import crew as sharing
from processor.state.sharing.crew import Crew, Seat
from processor.view import task_view

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.view.item_view import ItemView

# Calls of one segment at once: its writes go through one pool, its reads one after the other.
_CONNECTIONS_PER_THREAD = 2
_NOTES = (
    "What it had begun is taken over by the others, once its hold has lapsed. Nothing is lost.",
    "What was done stays done. Give the same command again.",
)


def clients_of(settings: Settings) -> Clients:
    """Clients for one process."""
    return Clients(settings, connections=settings.threads * _CONNECTIONS_PER_THREAD, create=boto3_clients.create)


def crew(
    task: CopyTask, clients: Clients, view: ItemView | None, *, stop: threading.Event, outage: Outage
) -> AbstractContextManager[Crew[Counts]]:
    """The processes, forked and waiting for nothing if there are several; all have ended when the context is left."""
    settings = task.settings

    def make(seat: Seat) -> CopyWorker:
        own = seat.forked
        return CopyWorker(
            task,
            clients_of(settings) if own else clients,
            task_view.of_source(settings, task.source) if own else view,
            stop=seat.stop,
            outage=seat.outage,
        )

    return sharing.crew(
        make,
        processes=task.processes,
        none=Counts(),
        stop=stop,
        outage=outage,
        lost_by=CopyTakenError,
        notes=_NOTES,
    )
