"""Knows the heartbeats among a shard's changes: items of ours, whose way to the destination is measured. Pure."""

from __future__ import annotations

import msgspec

from processor.dynamodb.keys import key_identity
from processor.flow import shapes
from processor.metrics.heartbeat import key
from processor.replication.change import Change


class _Image(msgspec.Struct):
    writtenAtMs: dict[str, str]  # noqa: N815  # the attribute's name


_decoder = shapes.decoder(_Image)


class Heartbeats:
    """Knows a task's heartbeats among its changes."""

    def __init__(self, task_name: str) -> None:
        self._task_name = task_name
        self._identity: bytes | None = None

    def written_ms(self, change: Change) -> int | None:
        """When a heartbeat was written; None for every other change."""
        if self._identity is None:  # all of a table's changes have the same key attributes
            self._identity = key_identity(key(change.key_types, self._task_name))
        if change.identity != self._identity or change.image is None:
            return None
        try:
            return int(_decoder.decode(change.image).writtenAtMs["N"])
        except (msgspec.DecodeError, KeyError, ValueError):
            return None  # somebody else's item under our key
