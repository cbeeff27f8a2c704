"""The places on this machine where a task keeps files of its own: logs and dead letters; what is wrong with them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from processor.replication.dead_letters.file_store import OWNER_ONLY
from processor.reporting.findings import Finding, error, warning
from processor.system import private_files
from processor.system.private_files import NotOursError

if TYPE_CHECKING:
    from processor.settings.settings import Settings

# Names of the daemon's classes and loggers that a log configuration may still have from earlier versions.
_FORMER_CLASS = re.compile(
    rb"software\.amazon\.kinesis\.multilang\.config\.(?:LogLines|DynamoDBStreamsMultiLangDaemon)\b"
)


def log_configuration(settings: Settings) -> Iterator[Finding]:
    """Whether the file of ``logConfiguration`` can be used."""
    path = settings.log_configuration
    if path is not None and not os.access(path, os.R_OK):
        remedy = "Check logConfiguration, or leave it out"
        consequence = "The daemon would log everything to the console"
        yield error(
            "log-configuration-unreadable",
            f"log configuration {path}",
            "can't be read",
            consequence,
            remedy,
            cause="setup",
        )
    elif path is not None and Path(path).is_file() and (former := _FORMER_CLASS.search(Path(path).read_bytes())):
        yield error(
            "log-configuration-outdated",
            f"log configuration {path}",
            f"names {former[0].decode()}, as it was called in an earlier version",
            "What it should write would be missing from the logs, in silence",
            "Take the new names from the program's own logback.xml: replicator.log.LogLines for the layout, replicator "
            "for the logger",
            cause="setup",
        )


def log_directory(settings: Settings) -> Iterator[Finding]:
    """Whether the daemon's directory is there for it alone, or can be made."""
    directory = Path(settings.log_directory) / settings.task_name
    try:
        private_files.check(directory, shared=settings.allow_shared_folders)
    except NotOursError as exc:
        yield error(
            "log-directory-unsafe",
            f"log directory {directory}",
            str(exc),
            private_files.OTHERS,
            f"{exc.remedy} in logDirectory",
            cause="setup",
        )
    except OSError as exc:
        remedy = "Set logDirectory to one that can"
        yield error(
            "log-directory-unusable",
            f"log directory {directory}",
            f"can't be looked at ({exc})",
            "Nothing could start",
            remedy,
            cause="setup",
        )


def letters_file(settings: Settings) -> Iterator[Finding]:
    """Whether dead letters can be put into their file, and who else may read it."""
    path = settings.dead_letter_path
    if path is None or settings.on_error != "deadLetter":
        return
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent  # missing folders are made with the first dead letter
    try:
        private_files.check(Path(path), shared=settings.allow_shared_folders)
    except NotOursError as exc:
        consequence = "Others could read or change whole items there. A refused change would have nowhere to go"
        yield error(
            "letters-unsafe",
            f"dead letters {path}",
            str(exc),
            consequence,
            f"{exc.remedy} in deadLetterUri",
            cause="setup",
        )
        return
    except OSError as exc:
        consequence, remedy = "A refused change would have nowhere to go", "Name another file in deadLetterUri"
        yield error(
            "letters-unusable",
            f"dead letters {path}",
            f"can't be looked at ({exc})",
            consequence,
            remedy,
            cause="setup",
        )
        return
    in_the_way = place.is_dir() if place == Path(path) else not place.is_dir()
    if in_the_way or not os.access(place, os.W_OK):
        remedy = f"Make {place} writable, or name another file in deadLetterUri"
        consequence = "A refused change would have nowhere to go"
        yield error("letters-unusable", f"dead letters {path}", "can't be written", consequence, remedy, cause="setup")
    elif place == Path(path) and (mode := stat.S_IMODE(place.stat().st_mode)) & ~OWNER_ONLY:
        consequence = "They hold whole items, which others than the file's owner may read or change"
        yield warning(
            "letters-readable-by-others",
            f"dead letters {path}",
            f"have mode {mode:04o}",
            consequence,
            f"chmod 600 {path}",
        )
