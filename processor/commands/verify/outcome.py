"""Notes in the task's table what a whole comparison by hand has shown, where a start or ``status`` would ask for it."""

from __future__ import annotations

from processor.aws.clients import Clients
from processor.commands.verify.options import VerifyOptions
from processor.commands.verify.report import VerifyReport
from processor.errors import RefusedError, UnavailableError
from processor.reporting import output
from processor.settings.settings import Settings
from processor.state import task_row, verification_row
from processor.state.verification_row import Verified


def verified(report: VerifyReport, *, through_ms: int, ended_ms: int) -> Verified:
    """What is kept of a whole comparison; see ``Verified``."""
    return Verified(
        through_ms=through_ms,
        ended_ms=ended_ms,
        equal=report.equal,
        missing=report.missing,
        extra=report.extra,
        different=report.different,
        changing=report.changing,
        repaired=report.repaired,
    )


def is_whole(report: VerifyReport, options: VerifyOptions) -> bool:
    """Whether all of both tables was compared, and in full."""
    return options.share == 1 and not options.ignore and not options.dry_run and report.complete


def note_view(settings: Settings, clients: Clients, digest: str, report: VerifyReport) -> None:
    """Store by which view of the items all of the destination is, so that no start says that it may not be.

    :param digest: the view's, from before it was made: the transform's file may have changed since
    :param report: of a whole comparison
    """
    if not settings.views_items or report.differing or report.changing:
        return
    try:
        task_row.note_view(clients.checkpoints(), settings.task_table, digest)
    except (RefusedError, UnavailableError) as exc:
        output.say(f"That it is all by these settings can't be noted ({exc}): a start may still say otherwise.")


def note_counts(settings: Settings, clients: Clients, found: Verified) -> None:
    """Store what was found where the daemons compare by themselves: status would go on to say what they have found."""
    if not settings.verifies:
        return
    try:
        verification_row.note(clients.checkpoints(), settings.task_table, found)
    except (RefusedError, UnavailableError) as exc:
        output.say(f"What was found can't be noted ({exc}): status goes on to say what the last pass has found.")
