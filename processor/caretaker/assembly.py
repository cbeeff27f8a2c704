"""What a task's caretaker is made of, by the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from processor.aws.clients import Clients
from processor.caretaker.caretaker import Caretaker
from processor.caretaker.duty import Duty, Job, Observer, Standing
from processor.caretaker.lock import CareLock
from processor.caretaker.notify.notifier import Notifier
from processor.caretaker.notify.sender import sender
from processor.caretaker.replica import Replica
from processor.caretaker.verification import VerificationDuty
from processor.caretaker.work import CommandProcess, Work
from processor.flow.outage import Outage
from processor.flow.retry_policy import METRICS
from processor.replication.dead_letters import census
from processor.reporting.logs import Log
from processor.settings.daemon_files import SETTINGS_FILE
from processor.settings.notify_place import notify_place
from processor.settings.settings import Settings
from processor.state import copy_rows
from processor.state.status import report
from processor.state.status.follower import Follower

# As ``status`` has it by default.
MAX_LAG_SECONDS = 60
_NOTE = "Replication goes on; what looks after this task waits, and tries again by itself."


def duties(settings: Settings, log: Log, clients: Clients) -> Sequence[Duty]:
    """In the order in which they are asked."""
    made: list[Duty] = []
    if settings.makes_replica:
        made.append(Replica(log))
    if settings.verifies:
        made.append(VerificationDuty(clients.checkpoints, log=log))
    return made


def observers(settings: Settings, log: Log, clients: Clients) -> Sequence[Observer]:
    """Whoever is told of each look."""
    if settings.notify_uri is None:
        return []
    place = notify_place(settings.notify_uri)
    return [Notifier(sender(place, clients), to=place.shown, log=log)]


def caretaker(settings: Settings, directory: Path) -> Caretaker:
    """The caretaker of one task.

    :param directory: the daemon's own for the task, with the settings that it hands down
    """
    log = Log(task=settings.task_name)
    outage = Outage(log, "caretaker_delayed", note=_NOTE, rhythm=METRICS.rhythm)
    clients = Clients(settings)
    lock = CareLock(clients.checkpoints, settings.task_table, failed=lambda exc: outage.failed(exc.code, str(exc)))
    follower = Follower(settings, census.count)

    cared = duties(settings, log, clients)

    def look(held: CareLock) -> Standing:
        seen = follower.look(care=held.row)
        return Standing(
            settings=settings,
            report=report.make(settings, seen, max_lag_seconds=MAX_LAG_SECONDS),
            seen=seen,
            care=held.row,
            # No observer asks for it, so people are told whether or not it can be read.
            copy=copy_rows.read(clients.checkpoints(), settings.task_table) if cared else None,
        )

    def begin(job: Job) -> Work:
        said = directory / f"{job.command}.log"
        return CommandProcess(job, settings_file=directory / SETTINGS_FILE, said=said)

    return Caretaker(
        lock,
        look=look,
        begin=begin,
        duties=cared,
        observers=observers(settings, log, clients),
        outage=outage,
        log=log,
    )
