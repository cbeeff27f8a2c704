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
    if path is not None and settings.on_error == "deadLetter":
        lost = "A refused change would have nowhere to go"
        yield from _kept_items(path, "dead letters", "deadLetterUri", lost, shared=settings.allow_shared_folders)


def conflicts_file(settings: Settings) -> Iterator[Finding]:
    """The same for the conflicts of a two-way task, which its uplink keeps."""
    place = settings.conflicts_place if settings.direction == "uplink" else None
    if place is not None and (path := place.path) is not None:
        lost = "What loses a conflict would have nowhere to go, and its shard would wait"
        yield from _kept_items(path, "conflicts", "conflictUri", lost, shared=settings.allow_shared_folders)


def _kept_items(path: str, what: str, setting: str, lost: str, *, shared: bool) -> Iterator[Finding]:
    """:param what: is kept there, by ``setting``"""
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent  # missing folders are made with the first one
    try:
        private_files.check(Path(path), shared=shared)
    except NotOursError as exc:
        consequence = f"Others could read or change whole items there. {lost}"
        remedy = f"{exc.remedy} in {setting}"
        yield error("letters-unsafe", f"{what} {path}", str(exc), consequence, remedy, cause="setup")
        return
    except OSError as exc:
        value, remedy = f"can't be looked at ({exc})", f"Name another file in {setting}"
        yield error("letters-unusable", f"{what} {path}", value, lost, remedy, cause="setup")
        return
    in_the_way = place.is_dir() if place == Path(path) else not place.is_dir()
    if in_the_way or not os.access(place, os.W_OK):
        remedy = f"Make {place} writable, or name another file in {setting}"
        yield error("letters-unusable", f"{what} {path}", "can't be written", lost, remedy, cause="setup")
    elif place == Path(path) and (mode := stat.S_IMODE(place.stat().st_mode)) & ~OWNER_ONLY:
        consequence = "They hold whole items, which others than the file's owner may read or change"
        yield warning(
            "letters-readable-by-others",
            f"{what} {path}",
            f"have mode {mode:04o}",
            consequence,
            f"chmod 600 {path}",
        )
