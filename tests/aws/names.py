"""What a run calls its tables and roles, and the tag by which it knows them again. Pure."""

from __future__ import annotations

import re

from processor.settings.definitions import CHECKPOINT_TABLE_PREFIX

PREFIX = "replicator-proof-"
TAG = "replicator-proof"
_OWN = re.compile(rf"(?:{CHECKPOINT_TABLE_PREFIX})?{PREFIX}([0-9a-f]{{8}})-[\w.-]+")


def run_of(name: str) -> str | None:
    """The run that a table's or role's name belongs to; None if no run of this proof made it."""
    found = _OWN.fullmatch(name)
    return found[1] if found else None


def named(run: str, what: str) -> str:
    """``what`` as that run calls it."""
    return f"{PREFIX}{run}-{what}"


def task_tables(task_name: str) -> list[str]:
    """The tables that the program may make for a task."""
    suffixes = ("", "-Task", "-CoordinatorState", "-WorkerMetricStats")
    return [f"{CHECKPOINT_TABLE_PREFIX}{task_name}{suffix}" for suffix in suffixes]


def tags(run: str) -> list[dict[str, str]]:
    """What everything of that run is tagged with."""
    return [{"Key": TAG, "Value": run}]
