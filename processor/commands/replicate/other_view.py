"""Whether daemons still run that were started with other settings for what is written of the items.

Each of them would write in its own way, for months if one is forgotten: items that others leave out, or unmasked. So a
start waits for their end. The task's row has the view that the daemons started last write by; whether any of them is
alive, is seen by its leases, whose counters move.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.reporting.findings import Finding, error
from processor.startup.failed_call import Who, attempt
from processor.state import leases

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts
    from processor.state.leases import Lease

_LOOK_SECONDS = 0.5
# A living daemon renews each lease every third of failoverTimeMillis.
_SHARE_OF_FAILOVER = 0.7
_WAITED_FOR = "leases of daemons with other settings"


def findings(
    settings: Settings,
    clients: Clients,
    facts: Facts,
    digest: str,
    unanswered: set[str],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Finding]:
    """What keeps a start from going on, or nothing.

    :param digest: of the settings' view of the items
    :param unanswered: gets the name of what is waited for
    """
    before = {lease.shard_id: lease for lease in facts.leases or [] if lease.owner is not None and not lease.finished}
    if facts.task is None or facts.task.writing_digest == digest or not before:
        return []
    unanswered.add(_WAITED_FOR)
    found: list[Finding] = []

    def look() -> None:
        deadline = clock() + settings.failover_seconds * _SHARE_OF_FAILOVER
        while not found and clock() < deadline:
            sleep(_LOOK_SECONDS)
            now = leases.read(clients.checkpoints(), settings.checkpoint_table) or []
            if any(_has_moved(lease, before.get(lease.shard_id)) for lease in now):
                found.append(_are_there(settings))

    what = f"checkpoint table {settings.checkpoint_table} in {settings.kcl_region}"
    failed = attempt(what, look, Who.of_task(settings))
    unanswered.discard(_WAITED_FOR)
    return [*failed, *found]


def _has_moved(now: Lease, before: Lease | None) -> bool:
    return before is not None and now.owner is not None and now.counter != before.counter


def _are_there(settings: Settings) -> Finding:
    return error(
        "view-of-others",
        f"task {settings.task_name}",
        "is replicated by daemons that run with other settings for what is left out, masked, renamed, added or marked",
        "What they write, this one would not, and nothing would say which of them wrote an item",
        "Stop them (SIGTERM), on whatever machine they are: then this start goes on",
        cause="pending",
    )
