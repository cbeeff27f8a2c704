"""Dead letters by key, for tests that care for nothing else of them."""

from __future__ import annotations

import msgspec

from processor.replication.dead_letters.letter import Letter
from tests.fakes.streams.stream_record import sequence_number
from tests.fakes.task.tasks import REQUIRED


def letter(key: str, *, number: int = 1, task_name: str = "t", table: str = REQUIRED["destinationTable"]) -> Letter:
    """A letter of the item ``key``; ``number`` is its change's place in the stream."""
    raw = msgspec.Raw(msgspec.json.encode({"id": {"S": key}}))
    return Letter(
        time="2026-01-01T00:00:00.000+00:00",
        task_name=task_name,
        table=table,
        region=REQUIRED["destinationRegion"],
        shard_id="shard-1",
        sequence_number=sequence_number(number),
        event_name="MODIFY",
        error="ValidationException",
        reason="PutItem: refused",
        key=raw,
        new_image=raw,
    )
