"""``run.sh FILE`` of one two-way task: its two directions become the tasks of one daemon.

Both are looked at before this process becomes the daemon, so the start says what is wrong, waits, and ends as that of a
task of one direction does. From then on each is kept as one of many tasks: it fails, waits and begins again alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from processor.commands.replicate import many
from processor.commands.replicate.command import Readiness
from processor.reporting import logs
from processor.settings.settings import Settings
from processor.startup import daemon


def run(settings: Settings, words: Sequence[str]) -> NoReturn:
    """Wait until everything is ready on both ways, then become the daemon.

    :param words: of the command line, with the name of the task's file
    :raises NotReadyError: a person must put something right
    :raises SetupError: the log directory can't be written
    """
    daemon.hold_installation()
    logs.configure(form=settings.log_format)
    directions = settings.in_directions
    for each in directions:
        Readiness(each).wait()
    lines = [f"Replicating {settings.path}, and back"]
    lines += [f"  task {each.task_name}, checkpoints in {each.checkpoint_table}" for each in directions]
    many.become(settings, words, [], lines=lines)
