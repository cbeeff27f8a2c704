"""That a replication has followed a copy that is done: its age then says nothing any more.

Else a checkpoint table that is deleted later, so that the task begins anew with the stream's oldest record, would look
like a replication that comes a day or more after its copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.errors import ReplicatorError
from processor.state import copy_rows, leases

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts


def note(settings: Settings, clients: Clients, facts: Facts) -> None:
    """Keep it in the copy's row, where the facts say so; a failure is left to the next start."""
    copy = facts.copy
    if copy is None or copy.state != "done" or copy.followed or not leases.begun(facts.leases):
        return
    try:
        copy_rows.mark_followed(clients.checkpoints(), settings.task_table, copy)
    except ReplicatorError:
        return
