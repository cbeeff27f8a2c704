"""Keeps failures of measuring away from the replication: after one, the shard goes on without metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from processor.errors import UnavailableError
from processor.replication.apply import Outcome
from processor.replication.change import Change
from processor.replication.meter import Meter, NoMeter
from processor.replication.two_way.conflicts import Verdict
from processor.reporting.logs import Log

_NOTE = "Replication goes on; this shard's metrics are missing until it is started anew. {remedy}"


def say(log: Log, exc: Exception) -> None:
    """Log that a shard is not measured, and why."""
    remedy = "Make room." if isinstance(exc, OSError) else "BUG: please report it, with prometheus-client's version."
    log.warning("metrics_not_kept", error=type(exc).__name__, reason=str(exc) or None, note=_NOTE.format(remedy=remedy))


class SafeMeter:
    """Passes events to ``meter`` until it raises; then logs that, and ignores all further events."""

    def __init__(self, meter: Meter, log: Log) -> None:
        self._meter = meter
        self._log = log

    def begun(self, changes: Sequence[Change]) -> None:
        """Hand it on."""
        self._try(lambda: self._meter.begun(changes))

    def applied(self, changes: Sequence[Change], outcome: Outcome, seconds: float) -> None:
        """Hand it on."""
        self._try(lambda: self._meter.applied(changes, outcome, seconds))

    def checkpointed(self) -> None:
        """Hand it on."""
        self._try(self._meter.checkpointed)

    def retried(self, error: UnavailableError) -> None:
        """Hand it on."""
        self._try(lambda: self._meter.retried(error))

    def held(self, since: float) -> None:
        """Hand it on."""
        self._try(lambda: self._meter.held(since))

    def conflicted(self, outcome: Verdict) -> None:
        """Hand it on."""
        self._try(lambda: self._meter.conflicted(outcome))

    def closed(self) -> None:
        """Hand it on."""
        self._try(self._meter.closed)

    def _try(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as exc:  # noqa: BLE001  # whatever it is, it must not end the batch in hand
            failed, self._meter = self._meter, NoMeter()
            say(self._log, exc)
            with suppress(Exception):  # what is in hand would seem to grow older for ever
                failed.closed()
