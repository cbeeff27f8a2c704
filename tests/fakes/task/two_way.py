"""Settings of a two-way task."""

from __future__ import annotations

from processor.settings import loader
from processor.settings.settings import Settings
from tests.fakes.task.tasks import DIRECTORY, LOG_DIRECTORY, REQUIRED

LEAST = {**REQUIRED, "twoWay": "true", "conflictUri": "file:///var/lib/replicator/conflicts.jsonl"}


def two_way(**changed: str) -> Settings:
    """Of a task that only differs from the least there can be in ``changed``, by their public names."""
    return loader.complete({**LEAST, **changed}, kcl={}, directory=DIRECTORY, log_directory=LOG_DIRECTORY)
