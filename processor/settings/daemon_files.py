"""Finds the files in a running daemon's directory; its child processes get the path in their environment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from processor.flow import shapes
from processor.settings.settings import Settings
from processor.system import private_files

SETTINGS_VARIABLE = "REPLICATION_CHILD_SETTINGS"
# The settings of a task's children, in the daemon's directory for the task.
SETTINGS_FILE = "child.json"
# The named pipes between the daemon and its children, in its directory.
NURSERY_DIRECTORY = "nursery"
# Beside the settings, where they ask for a view of the items.
VIEW_FILE = "view.json"


class ViewBasis(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the children's view of the items is made of, beside the settings.

    :ivar key_types: the source's key attributes, each with its type, the partition key first
    :ivar digest: of everything that makes the view what it is, as ``view/task_view.py`` computes it
    """

    key_types: dict[str, str]
    digest: str


def handed_down(environment: Mapping[str, str]) -> tuple[Settings, Path]:
    """The task's settings, and the daemon's own directory, in which they are.

    :raises NotOursError: somebody else could have written them
    """
    file = Path(environment[SETTINGS_VARIABLE])
    return shapes.decode(private_files.read(file), Settings), file.parent


def shard_file_name(shard_id: str) -> str:
    """The name of the shard's file. The id comes from the checkpoint table, and must not be used as a path."""
    return hashlib.sha256(shard_id.encode()).hexdigest()
