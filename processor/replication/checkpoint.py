"""One shard's checkpoint: stored by KCL, and tried until it is."""

from __future__ import annotations

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
    """Stores how far a shard is applied.

    :param gone: set when the daemon is no longer there
    :param policy: how long to pause between tries
    """

    def __init__(self, log: Log, *, gone: Event, policy: RetryPolicy = RECORDS) -> None:
        note = "The batch is applied; its checkpoint is tried until it is stored."
        self._retry = Retry(policy, gone, Outage(log, "checkpoint_delayed", note=note))

    def store(self, checkpointer: Any, sequence_number: str | None) -> None:
        """Return when it is stored.

        :param checkpointer: KCL's, of the batch or of the shard's end
        :param sequence_number: of the last change that is applied, with all before it; None at the shard's end
        :raises LeaseLostError: the shard is another worker's, and so is its checkpoint
        :raises DaemonGoneError: nobody is there any more who could store it
        :raises CheckpointError: KCL refuses it, whatever the next try
        """
        try:
            self._retry(lambda: _store_once(checkpointer, sequence_number))
        except StoppedError as exc:
            raise DaemonGoneError from exc


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
