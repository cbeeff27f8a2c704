"""Files in the directory of a running daemon, which the processes that it starts find by their environment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from processor.settings.settings import Settings
from processor.system import private_files

SETTINGS_VARIABLE = "REPLICATION_CHILD_SETTINGS"


def handed_down(environment: Mapping[str, str]) -> tuple[Settings, Path]:
    """The task's settings, and the daemon's own directory, where they lie.

    :raises NotOursError: somebody else can have written them
    """
    file = Path(environment[SETTINGS_VARIABLE])
    return msgspec.json.decode(private_files.read(file), type=Settings), file.parent


def shard_file_name(shard_id: str) -> str:
    """The shard's file: its id is whatever stands in the checkpoint table, and names no path."""
    return hashlib.sha256(shard_id.encode()).hexdigest()
