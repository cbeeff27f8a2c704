"""The daemon's side of kclpy's protocol, in memory: its messages are kclpy's own classes."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from amazon_kclpy import messages
from amazon_kclpy.checkpoint_error import CheckpointError

from tests.fakes.streams.stream_record import joined


class Checkpointer:
    """Stores checkpoints as KCL would, and has the signature of kclpy's own.

    :param failures: what KCL answers to the first calls, as exception names; None is success
    :param before: called with each checkpoint before it is stored; what it raises, ``checkpoint`` raises
    """

    def __init__(
        self, failures: Iterable[str | None] = (), *, before: Callable[[str | None], None] = lambda _: None
    ) -> None:
        self.stored: list[str | None] = []
        self.calls: list[str | None] = []
        self._failures = deque(failures)
        self._before = before

    def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int | None = None) -> None:
        """Store one."""
        assert sub_sequence_number is None
        self.calls.append(sequence_number)
        self._before(sequence_number)
        if self._failures and (failure := self._failures.popleft()) is not None:
            raise CheckpointError(failure)
        self.stored.append(sequence_number)


def initialize(shard_id: str = "shard-1", sequence_number: str | None = "TRIM_HORIZON") -> messages.InitializeInput:
    """The message that opens a shard."""
    return messages.InitializeInput(
        {"action": "initialize", "shardId": shard_id, "sequenceNumber": sequence_number, "subSequenceNumber": 0}
    )


def process_records(records: Sequence[bytes]) -> messages.ProcessRecordsInput:
    """The message that brings a batch."""
    made = messages.Record(
        {
            "sequenceNumber": "100000000000000000000",
            "subSequenceNumber": 0,
            "approximateArrivalTimestamp": 0,
            "partitionKey": "k",
            "data": base64.b64encode(joined(records)).decode(),
        }
    )
    found = [made] if records else []
    return messages.ProcessRecordsInput({"action": "processRecords", "records": found, "millisBehindLatest": 0})


def shard_ended() -> messages.ShardEndedInput:
    """The message that says that a shard has no more records."""
    return messages.ShardEndedInput({"action": "shardEnded"})


def lease_lost() -> messages.LeaseLostInput:
    """The message that says that another worker has the shard."""
    return messages.LeaseLostInput({"action": "leaseLost"})


def shutdown_requested() -> messages.ShutdownRequestedInput:
    """The message that comes before an orderly end."""
    return messages.ShutdownRequestedInput({"action": "shutdownRequested"})
