"""Records that a replication has followed a finished copy, so that the copy's age no longer matters.

Otherwise, if the checkpoint table is deleted later so that the task begins again with the stream's oldest record, it
would look like a replication that starts a day or more after its copy.
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
    """Store it in the copy's row if the facts show it; after a failure the next start does it."""
    copy = facts.copy
    if copy is None or copy.state != "done" or copy.followed or not leases.begun(facts.leases):
        return
    try:
        copy_rows.mark_followed(clients.checkpoints(), settings.task_table, copy)
    except ReplicatorError:
        return
