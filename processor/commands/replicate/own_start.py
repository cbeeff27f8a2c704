"""What a start does by itself where the settings ask for it: makes destination and stream, and begins anew after a gap.

Each step may be the last before a kill, and may be made by several starts at once: it is done again without harm, and
the next start does what is left.

::

    new replica    all else is right ─▶ stream on ─▶ destination made ─▶ (the daemon's own start) ─▶ row: created
    after a gap    no daemon renews a lease of the old stream ─▶ row: copying ─▶ these leases deleted ─▶ (as above)
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from processor.errors import ConditionFailedError
from processor.reporting.findings import Finding, error
from processor.reporting.logs import Log
from processor.startup import fact_reader, own_replica, preflight
from processor.startup.failed_call import Who, attempt
from processor.startup.preflight import PreflightReport
from processor.state import care_row, leases, liveness

if TYPE_CHECKING:
    from collections.abc import MutableSet

    from processor.aws.clients import Clients
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts


def made_ready(
    settings: Settings, clients: Clients, report: PreflightReport, unanswered: MutableSet[str], *, machine: bool
) -> PreflightReport:
    """What is found once the destination is made and the stream is on, as far as the settings ask a start for that.

    :param report: what is found now
    """
    asked = _asked(settings, report.facts)
    if not report.errors or asked is None:
        return report
    foreseen = preflight.run(asked, clients, unanswered=unanswered, machine=machine, after_copy=True)
    if foreseen.errors or not foreseen.facts.to_make:
        return foreseen if foreseen.errors else report
    from processor.startup import destination  # a start that has nothing to make needs none of it

    log = Log(task=settings.task_name)
    making = "what bootstrap makes: destination, stream"
    unanswered.add(making)
    try:
        made = destination.ensure(asked, clients, lambda step: log.notice("bootstrap", step=step))
    finally:
        unanswered.discard(making)
    if any(finding.severity == "error" for finding in made):
        return PreflightReport(facts=foreseen.facts, findings=made)
    again = preflight.run(settings, clients, unanswered=unanswered, machine=machine)
    return PreflightReport(facts=again.facts, findings=[*made, *again.findings])


def _asked(settings: Settings, facts: Facts) -> Settings | None:
    """The settings by which this start makes something; None if it is not to make anything.

    A destination that a task has replicated to, and that is gone, is a person's business.
    """
    if not settings.bootstrap or facts.source is None:
        return None
    is_off = not facts.source.get("StreamSpecification", {}).get("StreamEnabled")
    makes = not facts.leases and "destination" in facts.missing
    turns_on = is_off and (not facts.leases or settings.after_loss == "copy")
    if not (makes or turns_on):
        return None
    return msgspec.structs.replace(settings, create_destination=makes, enable_stream=turns_on)


def anew(settings: Settings, clients: Clients, facts: Facts) -> list[Finding]:
    """After a gap, leave nothing that keeps the task from beginning with the oldest record of the stream as it is now.

    ``facts`` are changed to what they are then.

    :returns: what has to be waited for, or can't be done
    """
    if settings.after_loss != "copy" or not any(preflight.gap(settings, facts)):
        return []
    what = f"checkpoint table {settings.checkpoint_table} in {settings.kcl_region}"
    waiting: list[Finding] = []

    def change() -> None:
        client, old = clients.checkpoints(), facts.leases or []
        seen = liveness.look(client, settings.checkpoint_table, old, failover_seconds=settings.failover_seconds)
        alive = [daemon.owner for daemon in seen.daemons if daemon.alive]
        if alive or seen.handed_over:
            waiting.append(_still_replicated(settings, ", ".join(alive) or "a daemon"))
            return
        if not _is_gap_still(settings, clients, facts):
            return
        now_ms = int(time.time() * 1000)
        before = facts.care
        try:
            care_row.begin(
                client,
                settings.task_table,
                "copying",
                before=before,
                now_ms=now_ms,
                copy_after_ms=now_ms,
                lost_ms=now_ms,
            )
        except ConditionFailedError:
            waiting.append(_another_start(settings))
            return
        gone = [lease.shard_id for lease in old if lease.shard_id not in (facts.stream_shards or ())]
        leases.delete(client, settings.checkpoint_table, gone)
        facts.leases = [lease for lease in old if lease.shard_id not in gone]
        facts.care = care_row.read(client, settings.task_table)
        Log(task=settings.task_name).warning("changes_lost_at_start", checkpoints=len(gone), note=_ANEW)

    return attempt(what, change, Who.of_task(settings)) or waiting


def _is_gap_still(settings: Settings, clients: Clients, facts: Facts) -> bool:
    """Whether a second listing of the stream shows the gap, too: a shard that one of them has is not gone."""
    before = facts.stream_shards or frozenset()
    fact_reader.list_shards(facts, clients, str((facts.source or {})["LatestStreamArn"]))
    facts.stream_shards = before | (facts.stream_shards or frozenset())
    return any(preflight.gap(settings, facts))


_ANEW = (
    "The stream has lost changes since the last checkpoints: it was off, or the task stood still for more than its 24 "
    "hours. The checkpoints are deleted, and replication begins with the stream's oldest record. The table is copied "
    "and verified again by itself (afterLoss=copy)."
)


def _still_replicated(settings: Settings, who: str) -> Finding:
    return error(
        "old-stream-replicated",
        f"checkpoint table {settings.checkpoint_table}",
        f"is used by {who}, which replicates what the old stream still holds",
        "What it writes could be older than what would be copied",
        "Wait until it has ended, or stop it",
        cause="pending",
    )


def _another_start(settings: Settings) -> Finding:
    return error(
        "begun-elsewhere",
        f"task table {settings.task_table}",
        "was changed by another start at this moment",
        "One of the two begins the task",
        "Wait a moment: it is looked at again",
        cause="pending",
    )


def note_beginning(settings: Settings, clients: Clients, facts: Facts) -> list[Finding]:
    """Store that this replica is to be made, for whichever daemon's caretaker does it; once the task has its row."""
    now_ms = int(time.time() * 1000)
    found = own_replica.beginning(settings, facts, now_ms=now_ms)
    if found is None:
        return []

    def store() -> None:
        try:
            care_row.begin(
                clients.checkpoints(),
                settings.task_table,
                found.phase,
                before=facts.care,
                now_ms=now_ms,
                copy_after_ms=found.copy_after_ms,
                lost_ms=found.lost_ms,
            )
        except ConditionFailedError:
            return  # another start has decided it

    what = f"task table {settings.task_table} in {settings.kcl_region}"
    return attempt(what, store, Who.of_task(settings))
