"""What is wrong with the destination as a replica, by verifications and by who looks after it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from processor.reporting import moments
from processor.reporting.durations import duration
from processor.reporting.findings import Finding, error
from processor.settings.settings import Settings
from processor.state.status import replica, verification
from processor.state.status.replica import ReplicaProgress
from processor.state.status.snapshot import Seen
from processor.state.status.verification import Verification
from processor.system import program


def of_verification(settings: Settings, found: Verification) -> Iterator[Finding]:
    """With ``verifyEvery``: what differs, and why nothing newer is known."""
    what = f"destination table {settings.destination_table} in {settings.destination_region}"
    if found.last is not None and found.differing:
        yield error(
            "verification-differs",
            what,
            f"differs from the source by the last verification, {verification.outcome(found.last)}",
            "These keys stay so until a newer change of theirs, or a repair",
            f"{program.COMMAND} verify FILE names them; --repair writes what is missing or different, and with "
            "--deleteExtra deletes what only the destination has. It is over when nothing differs any more",
        )
    if found.failure is not None:
        yield error(
            "verification-failed",
            f"the verification of {what}",
            f"could not go on at {moments.of_ms(found.failure.at_ms)} ({found.failure.reason.rstrip('.')})",
            "It is tried again every ten minutes; until then nothing newer is proved. Replication goes on",
            "Do what the reason asks for",
        )
    if found.is_late:
        since = "ever" if found.last is None else f"since {moments.of_ms(found.last.through_ms)}"
        yield error(
            "verification-late",
            f"the verification of {what}",
            f"was not whole {since}, though verifyEvery asks for one every {duration(found.every_seconds)}",
            "What differs since then is not known",
            "Raise verifyReadUnits, or verifyEvery, if it takes longer than that; else see replication.log for "
            "caretaker and verification events",
        )


def of_replica(settings: Settings, seen: Seen, made: ReplicaProgress) -> Iterator[Finding]:
    """Of one that looks after itself: why it does not go on."""
    what = f"the replica {settings.destination_table} in {settings.destination_region}"
    if made.trouble is not None and made.trouble.kind == "refused":
        yield error(
            "replica-refused",
            what,
            f"can't be made by itself ({replica.trouble(made.trouble)})",
            "It is not complete, or not proved equal; replication goes on",
            "Do what the reason asks for: the command is given again every few minutes, and goes on by itself",
        )
    is_found = seen.verification is not None and bool(seen.verification.differing)
    if made.trouble is not None and made.trouble.kind == "differs" and not is_found:
        yield error(
            "replica-differs",
            what,
            f"differs from the source after its copy ({made.trouble.reason})",
            "These keys stay so until a newer change of theirs, or a repair",
            f"{program.COMMAND} verify FILE names them; --repair writes what is missing or different. It is verified "
            "again by itself",
        )
    if seen.is_running and not made.attended:
        yield error(
            "replica-unattended",
            what,
            f"is {replica.phase(made)}, and {replica.unattended(made)}, though daemons replicate",
            "Nothing is copied, verified or made good by itself; replication goes on",
            "See replication.log of the daemons for caretaker events",
        )
