"""What a start decides of a task that makes its own replica (``bootstrap``), or copies again what is lost.

===============================  =====================================================================================
checkpoints, copy                the start
===============================  =====================================================================================
checkpoints                      goes on; a task that was begun without ``bootstrap`` has nothing to be made
none; a copy that will do        goes on with that copy, whoever began it
none; no such copy               begins anew: created. A destination that holds items is refused, unless the row of
                                 the caretakers, or that of a copy, says that they are this task's. Where a loss is not
                                 made good yet: copying
checkpoints of another stream,   with ``afterLoss=copy``: deletes these checkpoints, and begins anew: copying
or only of shards that are gone
===============================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from processor.dynamodb.occupancy import has_items
from processor.dynamodb.stream_retention import LAST_START_SECONDS
from processor.reporting.findings import Finding, error
from processor.startup.failed_call import Who, attempt
from processor.state import care_row
from processor.state.care_row import Phase

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts
    from processor.state.copy_rows import CopyState


class Beginning(NamedTuple):
    """What a start stores: a copy that was begun before ``copy_after_ms`` will not do.

    ``lost_ms`` stays what it is: a loss that is not made good is none of a new replica, whatever is begun anew.
    """

    phase: Phase
    copy_after_ms: int
    lost_ms: int = 0


def beginning(settings: Settings, facts: Facts, *, now_ms: int) -> Beginning | None:
    """What a start stores in the caretakers' row; None to leave it as it is."""
    if not settings.bootstrap or facts.leases:
        return None
    phase = facts.care.phase if facts.care else None
    lost_ms = facts.care.lost_ms if facts.care else 0
    if _will_do(facts):
        return None if phase == "copying" else Beginning("copying", 0, lost_ms)
    if phase == "created" and facts.copy is None:
        return None
    return Beginning("copying" if lost_ms else "created", now_ms, lost_ms)


def _will_do(facts: Facts) -> bool:
    """Whether the copy that there is has all that the stream has no more."""
    copy = facts.copy
    if copy is None or copy.followed or facts.source is None:
        return False
    is_of_stream = copy.stream_arn == facts.source.get("LatestStreamArn")
    return is_of_stream and copy.age_seconds <= LAST_START_SECONDS and not _holds_up(copy)


def _holds_up(copy: CopyState) -> bool:
    return copy.state == "running" and not copy.concurrent


def is_new(facts: Facts) -> bool:
    """Whether nobody has begun to make this replica."""
    return not facts.leases and facts.copy is None and (facts.care is None or facts.care.phase is None)


def occupied(settings: Settings, clients: Clients, facts: Facts) -> list[Finding]:
    """Whether the destination of a new replica holds items, which nobody of this task has written."""
    table = facts.destination
    if not is_new(facts) or table is None or table.get("TableStatus") not in ("ACTIVE", "UPDATING"):
        return []
    name = settings.destination_table
    found: list[bool] = []
    what = f"items of destination table {name} in {settings.destination_region}"
    who = Who.of_destination(settings)
    findings = attempt(what, lambda: found.append(has_items(clients.destination(), name)), who)
    if findings or not any(found):
        return findings
    # Another start may have begun it meanwhile, and its children write.
    at = f"checkpoint table {settings.checkpoint_table} in {settings.kcl_region}"

    def again() -> None:
        facts.care = care_row.read(clients.checkpoints(), settings.task_table)

    findings = attempt(at, again, Who.of_task(settings))
    return findings or [*_refused(settings, facts)]


def _refused(settings: Settings, facts: Facts) -> Iterator[Finding]:
    if is_new(facts):
        yield error(
            "bootstrap-onto-items",
            f"destination table {settings.destination_table} in {settings.destination_region}",
            "holds items, and nothing says that this task has written them",
            "bootstrap=true makes a new replica: it would write over items of the same keys, and others would stay "
            "among the replica's",
            "Check destinationTable, destinationRegion and whose credentials these are. If it is the right table, "
            "empty it; or run copy --concurrent once by hand, which looks at what is there and says it: bootstrap goes "
            "on with that copy",
        )
