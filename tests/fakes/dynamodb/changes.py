"""Changes by key and value, for tests that care for nothing else of them."""

from __future__ import annotations

from processor.replication import stream_record
from processor.replication.change import Change
from tests.fakes.streams.stream_record import modify, remove


def decode(data: bytes) -> Change:
    """The change that one stream record asks for."""
    (change,) = stream_record.decode(b"[%b]" % data)
    return change


def put(key: str, value: object = "v", *, number: int = 1) -> Change:
    """A put of the item ``key``, which then holds ``value``; ``number`` is its place in the stream."""
    return decode(modify(number, {"id": {"S": key}, "value": {"S": str(value)}}).data)


def delete(key: str, *, number: int = 1) -> Change:
    """A delete of the item ``key``."""
    return decode(remove(number, {"id": {"S": key}}).data)
