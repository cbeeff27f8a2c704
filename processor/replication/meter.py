"""The events that are measured on a record's path: a protocol, and an implementation that ignores them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from processor.errors import UnavailableError
from processor.replication.apply import Outcome
from processor.replication.change import Change
from processor.replication.two_way.conflicts import Verdict


class Meter(Protocol):
    """Is told of each event on a record's path."""

    def begun(self, changes: Sequence[Change]) -> None:
        """A batch is in hand, and not applied."""

    def applied(self, changes: Sequence[Change], outcome: Outcome, seconds: float) -> None:
        """The batch is applied or set aside, after ``seconds``."""

    def checkpointed(self) -> None:
        """Its checkpoint is stored."""

    def retried(self, error: UnavailableError) -> None:
        """A write call is made again, for the destination answered with ``error``. Any thread may call."""

    def held(self, since: float) -> None:
        """The shard waits at a change since then, in seconds since the epoch; 0: it doesn't. Any thread may call."""

    def conflicted(self, outcome: Verdict) -> None:
        """An item was written on both sides of a two-way task. Any thread may call."""

    def closed(self) -> None:
        """The shard is no longer this child's."""


class NoMeter:
    """Ignores every event: metrics are not wanted, or their files can't be written."""

    def begun(self, changes: Sequence[Change]) -> None:
        """Nothing."""

    def applied(self, changes: Sequence[Change], outcome: Outcome, seconds: float) -> None:
        """Nothing."""

    def checkpointed(self) -> None:
        """Nothing."""

    def retried(self, error: UnavailableError) -> None:
        """Nothing."""

    def held(self, since: float) -> None:
        """Nothing."""

    def conflicted(self, outcome: Verdict) -> None:
        """Nothing."""

    def closed(self) -> None:
        """Nothing."""
