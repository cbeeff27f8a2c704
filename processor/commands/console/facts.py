"""What is so about a task, a line for each thing, for its page. Pure."""

from __future__ import annotations

import msgspec

from processor.commands.console.verdict import Level
from processor.commands.console.words import counted
from processor.settings.task_file import TaskFile
from processor.state.status import remedies, replica, verification
from processor.state.status.copy_progress import CopyProgress
from processor.state.status.keyless import without_keys
from processor.state.status.letters import LettersFound
from processor.state.status.replica import ReplicaProgress
from processor.state.status.report import StatusReport
from processor.state.status.verification import Verification


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A line of what is so. ``command`` is what to do about it, ``share`` how far it is."""

    id: str
    name: str
    value: str
    level: Level = "ok"
    command: str | None = None
    share: float | None = None


def facts_of(report: StatusReport, file: TaskFile) -> list[Fact]:
    """Tables, daemons, a replica that looks after itself, a copy, verifications, and what was set aside or left out."""
    facts = [_destination(report), _source(report)]
    facts += [
        Fact(
            id="daemon",
            name="Daemon",
            value=f"{daemon.owner}: {'alive' if daemon.alive else 'does not renew its leases'}, "
            f"{counted(daemon.shards, 'shard')}",
            level="ok" if daemon.alive else "bad",
        )
        for daemon in report.daemons
    ] or [Fact(id="daemon", name="Daemons", value="none that holds a shard", level="bad" if report.findings else "ok")]
    if report.replica:
        facts.append(_replica(report.replica))
    if report.copy is not None:
        facts.append(_copy(report.copy, file, by_itself=bool(report.replica and report.replica.attended)))
    if report.verification:
        facts.append(_verification(report.verification, file))
    letters = report.dead_letters
    if letters is not None:
        facts.append(
            Fact(
                id="letters",
                name="Dead letters",
                value=_kept(letters),
                level="bad" if letters.count else "ok",
                command=remedies.of_letters(file) if letters.count else None,
            )
        )
    if report.conflicts:
        facts.append(Fact(id="conflicts", name="Conflicts", value=_kept(report.conflicts)))
    if report.filtered is not None:
        text = f"{report.filtered:,} records of shards with a lease wrote nothing, by the settings"
        facts.append(Fact(id="filtered", name="Left out", value=text))
    facts.append(Fact(id="checkpoints", name="Checkpoints", value=report.checkpoint_table))
    return facts


def _kept(found: LettersFound) -> str:
    if not found.count:
        return f"none in {found.place}"
    return f"{'more than ' if found.more else ''}{found.count:,} in {found.place}"


def _destination(report: StatusReport) -> Fact:
    """What it says: whether it is there, and whether it takes what is written."""
    table = report.destination
    refused = {hold.shard_id for hold in report.holds if hold.kind in {"hold", "outage"}}
    says = {None: "could not be asked", "MISSING": "does not exist", "ACTIVE": "is there and active"}
    text = says.get(table.status, f"is {table.status}")
    if refused:
        text += f"; it refuses what is written to it, of {counted(len(refused), 'shard')}: see above"
    elif table.status == "ACTIVE" and report.state == "running":
        text += "; no shard reports a write that it refuses"
    level: Level = "unknown" if table.status is None else "ok" if table.status in {"ACTIVE", "UPDATING"} else "bad"
    return Fact(
        id="destination",
        name="Destination",
        value=f"{table.table} in {table.region} {text}",
        level="bad" if refused else level,
    )


def _source(report: StatusReport) -> Fact:
    table, stream = report.source, report.stream
    says = {None: "could not be asked", "MISSING": "does not exist"}
    text = says.get(table.status, f"is {(table.status or '').lower()}")
    reads = f"its stream is {(stream.status or 'not read').lower()}" if stream else "it has no stream"
    is_well = table.status in {"ACTIVE", "UPDATING"} and stream is not None and stream.status in {"ENABLED", "ENABLING"}
    return Fact(
        id="source",
        name="Source",
        value=f"{table.table} in {table.region} {text}; {reads}",
        level="ok" if is_well else "unknown" if table.status is None else "bad",
    )


def _replica(found: ReplicaProgress) -> Fact:
    is_bad = not found.attended or found.differing or found.needs_somebody
    return Fact(
        id="replica",
        name="Replica",
        value=without_keys(replica.sentence(found)),
        level="bad" if is_bad else "ok" if found.is_made else "making",
        share=None if found.share is None else round(found.share, 3),
    )


def _verification(found: Verification, file: TaskFile) -> Fact:
    is_bad = bool(found.differing) or found.failure is not None or found.is_late
    running = found.running
    return Fact(
        id="verification",
        name="Verified",
        value=verification.sentence(found),
        level="bad" if is_bad else "unknown" if found.last is None else "ok",
        command=remedies.of_finding("verification-differs", file) if found.differing else None,
        share=None if running is None else round(running.share, 3),
    )


def _copy(copy: CopyProgress, file: TaskFile, *, by_itself: bool) -> Fact:
    """A copy.

    :param by_itself: whether a caretaker goes on with it
    """
    left_out = f" and {copy.filtered:,} left out" if copy.filtered else ""
    if copy.state == "done":
        return Fact(id="copy", name="Copy", value=f"done, {copy.items:,} items{left_out}")
    return Fact(
        id="copy",
        name="Copy",
        value=f"not through: {copy.items:,}{left_out} of some {copy.expected_items:,} items, {copy.segments_done} of "
        f"{copy.segments} segments done{'' if by_itself else '. If no process works on it, this goes on with it'}",
        level="making" if by_itself else "unknown",
        share=None if copy.share is None else round(copy.share, 3),
        command=None if by_itself else remedies.of_copy(file, concurrent=copy.concurrent),
    )
