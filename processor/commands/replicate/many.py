"""``run.sh FILE…`` and ``run.sh DIRECTORY``: this process becomes the daemon of many tasks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from processor import __version__
from processor.errors import NotReadyError
from processor.reporting import logs, output
from processor.settings import process_settings
from processor.settings.named_task import NamedTask
from processor.settings.process_settings import ProcessSettings
from processor.settings.settings import Settings
from processor.startup import daemon
from processor.startup.slot import claim_slot

# Beside the folders of the tasks: what is said of none of them.
_DIRECTORY = "_daemon"
# ``Kept``, as JSON.
KEPT_VARIABLE = "REPLICATION_KEPT_TASKS"
KEEPER = "processor.cli.keeper"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper knows of the command.

    :param words: of the command line
    :param directory: in which it was given
    :param directories: those of the words that are directories of tasks
    :param worker_id: by which the fleet knows this daemon, in all of its tasks
    """

    words: list[str]
    directory: str
    directories: list[str]
    process: ProcessSettings
    worker_id: str


def run(tasks: Sequence[NamedTask], words: Sequence[str], directories: Sequence[str]) -> NoReturn:
    """Become the daemon.

    :param words: of the command line
    :param directories: those of them that are directories of tasks
    :raises NotReadyError: not one of the tasks can be begun as its file is now
    :raises SetupError: the log directory can't be written, or Java can't be used
    """
    usable = [task.settings for task in tasks if task.settings is not None and not task.findings]
    if not usable:
        _say_what_is_wrong(tasks)
        message = "None of the tasks can be begun: what stands above must be put right first. Nothing was started."
        raise NotReadyError(message)
    become(usable[0], words, directories, lines=[f"Replicating {len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}"])


def become(settings: Settings, words: Sequence[str], directories: Sequence[str], *, lines: Sequence[str]) -> NoReturn:
    """Become the daemon, without a look at any task: its keeper does that.

    :param settings: of any of them: those of the process are the same for all
    :param lines: what it says of the tasks before all else
    :raises SetupError: the log directory can't be written, or Java can't be used
    """
    settings = msgspec.structs.replace(settings, task_name=_DIRECTORY)
    daemon.hold_installation()
    slot = claim_slot(settings)
    logs.configure(form=settings.log_format)
    for line in lines:
        output.line(line)
    output.line(f"  version {__version__}")
    output.line(f"  logs in {Path(settings.log_directory)}, a folder for each task", flush=True)
    kept = Kept(
        words=list(words),
        directory=str(Path.cwd()),
        directories=list(directories),
        process=process_settings.of(settings),
        worker_id=slot.worker_id,
    )
    os.environ[KEPT_VARIABLE] = msgspec.json.encode(kept).decode()
    daemon.start_many(settings, slot, KEEPER)


def _say_what_is_wrong(tasks: Sequence[NamedTask]) -> None:
    for task in tasks:
        if task.error:
            output.say(f"{task.file.path}: {task.error}")
        for finding in task.findings:
            output.say(*finding.lines)
