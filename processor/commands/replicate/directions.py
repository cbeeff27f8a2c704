"""When a two-way task's directions may begin, so that no replicated write is taken for an application's.

The uplink tells the two apart by the marker, which a replication of one direction doesn't write. So::

    one-way daemons        ══════════ended                                      (``other_view.py`` waits for that)
    mirror, with markers                  begins ════════════════════════▶      its row says since when
    spoke's stream         …… writes without markers │ only marked ones, and applications'
    uplink, from its first start on                       begins ════════▶      some seconds later

What the spoke's stream holds of the time before is passed over (``initialPositionInStream=LATEST``). A task that goes
back to one direction, and is made two-way again later, needs a new uplink: the old one's checkpoints lie before writes
without markers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.reporting.findings import Finding, error
from processor.startup.failed_call import Who, attempt
from processor.state import task_row

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts
    from processor.state.task_row import Task

# As far as the time of a record may be wrong (``FirstStart.java``: whole seconds, and servers' clocks).
_SETTLED_MS = 7_000


def writing_digest(settings: Settings, view_digest: str) -> str:
    """What tells daemons that write in another way from these."""
    return f"{view_digest} twoWay {settings.marker_attribute}".strip() if settings.two_way else view_digest


def mirror_since(settings: Settings, before: Task | None, *, digest: str, now_ms: int, begun: bool) -> str:
    """Since when each replicated write to the spoke bears a marker; empty for a task of one direction.

    :param before: the task's row as it was read
    :param digest: ``writing_digest`` of these settings
    :param begun: whether shards have leases already, so that daemons of one direction may have written until now
    """
    if not settings.two_way:
        return ""
    if before is not None and before.writing_digest == digest and before.two_way_since_ms:
        return before.two_way_since_ms
    return str(now_ms + (_SETTLED_MS if begun else 0))


class UplinkStart:
    """What an uplink's start hangs on.

    :param since_ms: its mirror's, empty until that has begun
    """

    def __init__(self, settings: Settings, clients: Clients, facts: Facts, *, now_ms: int) -> None:
        self.since_ms = ""
        self.findings = self._read(settings, clients) or list(self._wrong(settings, facts, now_ms))

    def _read(self, settings: Settings, clients: Clients) -> list[Finding]:
        def read() -> None:
            mirror = task_row.read(clients.checkpoints(), settings.mirror_task_table)
            self.since_ms = mirror.two_way_since_ms if mirror is not None else ""

        what = f"task table {settings.mirror_task_table} in {settings.kcl_region}"
        return attempt(what, read, Who.of_task(settings))

    def _wrong(self, settings: Settings, facts: Facts, now_ms: int) -> list[Finding]:
        what = f"task {settings.task_name}"
        if not self.since_ms or now_ms < int(self.since_ms):
            return [
                error(
                    "mirror-not-begun",
                    what,
                    "waits until the other direction has begun, and some seconds more",
                    "What was written to the destination without markers would be taken for an application's",
                    "It goes on by itself; see what is said of the other direction if that does not begin",
                    cause="pending",
                )
            ]
        if facts.leases and facts.task is not None and facts.task.two_way_since_ms != self.since_ms:
            return [
                error(
                    "uplink-of-before",
                    what,
                    "has checkpoints from before the task was replicated in one direction",
                    "What was replicated since, without markers, would be taken for an application's",
                    f"Delete {settings.checkpoint_table}; verify shows what applications have written to the "
                    "destination meanwhile",
                )
            ]
        return []
