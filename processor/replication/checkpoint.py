"""Decides when a shard's checkpoint is stored, and retries until it is.

A checkpoint costs a write unit of its table. With ``checkpointIntervalMillis`` a shard stores at most one in
that time, and what is applied meanwhile is *pending*: after a crash it is applied again, to the same end.

::

    batch    1       2     3     4                 5        the shard rests
    applied  ┼───────┼─────┼─────┼─────────────────┼─────────────────────────▶
    stored   1                   4: the interval   5: the interval is over, and the daemon asks for it
                                    is over

Nothing is left pending where nobody could store it later: not when the shard ends, is held, is to be read again, or is
stopped. A process's first batch is stored at once: by its checkpoint others know that the shard is begun
(``Lineage.java``), and that its last owner's time is over (``FleetLeaseRefresher.java``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import Event
from typing import Any

from amazon_kclpy import kcl

from processor.errors import CheckpointError, DaemonGoneError, LeaseLostError, StoppedError, UnavailableError
from processor.flow.outage import Outage
from processor.flow.retry import Retry
from processor.flow.retry_policy import RECORDS, RetryPolicy
from processor.reporting.logs import Log

# What KCL says of a checkpoint that may be stored at the next try (ShardRecordProcessorCheckpointer's exceptions).
# InvalidStateException is its word for a table that was not found; the last is how it passes on whatever kept its
# client from the table, such as a refused connection.
_TRY_AGAIN = frozenset(
    {
        "ThrottlingException",
        "InvalidStateException",
        "KinesisClientLibDependencyException",
        "KinesisClientLibRetryableException",
        "RuntimeException",
    }
)
_LEASE_LOST = "ShutdownException"


class Checkpoint:
    """How far one shard is applied, and its checkpoint.

    KCL takes a checkpoint only while a message of its daemon is worked on. Any thread that works on it may store one:
    what else would use the pipe waits for the message's end.

    :param gone: set when the daemon is no longer there
    :param interval_seconds: the shortest time between two checkpoints; 0: each batch is stored
    :param stored: called after each that is stored
    :param policy: how long to pause between tries
    """

    def __init__(
        self,
        log: Log,
        *,
        gone: Event,
        interval_seconds: float = 0.0,
        stored: Callable[[], None] = lambda: None,
        policy: RetryPolicy = RECORDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        note = "The batch is applied; its checkpoint is tried until it is stored."
        self._retry = Retry(policy, gone, Outage(log, "checkpoint_delayed", note=note))
        self._interval_seconds = interval_seconds
        self._stored = stored
        self._clock = clock
        self._lock = threading.Lock()
        self._due_at = float("-inf")
        self._checkpointer: Any = None
        self.pending: str | None = None

    def use(self, checkpointer: Any) -> None:
        """Store by this one from now on: KCL's, of the message in hand."""
        self._checkpointer = checkpointer

    def applied(self, sequence_number: str) -> None:
        """Note that this change is applied, and all before it."""
        self.pending = sequence_number

    def store_if_due(self) -> None:
        """Store what is pending, if the last checkpoint was stored an interval ago. Raises as ``store`` does."""
        if self.pending is None or self._clock() < self._due_at:
            return
        self.store()

    def store(self) -> None:
        """Return when nothing is pending.

        :raises LeaseLostError: the shard is another worker's, and so is its checkpoint
        :raises DaemonGoneError: nobody is there any more who could store it
        :raises CheckpointError: KCL refuses it, whatever the next try
        """
        with self._lock:
            if self.pending is not None:
                self._store(self.pending)

    def end(self) -> None:
        """Store that the shard is applied to its end. Raises as ``store`` does."""
        with self._lock:
            self._store(None)

    def forget(self) -> None:
        """Leave what is pending to the shard's next owner, who applies it again."""
        self.pending = None

    def _store(self, sequence_number: str | None) -> None:
        try:
            self._retry(lambda: _store_once(self._checkpointer, sequence_number))
        except StoppedError as exc:
            raise DaemonGoneError from exc
        self.pending = None
        self._due_at = self._clock() + self._interval_seconds
        self._stored()


def _store_once(checkpointer: Any, sequence_number: str | None) -> None:
    try:
        checkpointer.checkpoint(sequence_number)
    except kcl.CheckpointError as exc:
        error = str(exc.value)
        if error == _LEASE_LOST:
            raise LeaseLostError from exc
        if error in _TRY_AGAIN:
            raise UnavailableError(f"checkpoint {sequence_number} was not stored", code=error) from exc
        message = (
            f"KCL refused the checkpoint {sequence_number or 'at the shard end'}: {error}. The batch is "
            "applied and will be applied again at the next start, to the same end. kcl.log has the cause."
        )
        raise CheckpointError(message) from exc
    except (ValueError, OSError) as exc:  # kclpy met the end of input where KCL's answer should be
        raise DaemonGoneError from exc
