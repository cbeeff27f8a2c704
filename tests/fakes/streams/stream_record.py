"""Stream records as GetRecords gives them, and the daemon hands them on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Item = dict[str, dict[str, Any]]
_FIRST_NUMBER = 100000000000000000000


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """``data`` is its JSON."""

    sequence_number: str
    data: bytes


def sequence_number(number: int) -> str:
    """The ``number``-th of a stream; like DynamoDB's they have 21 digits or more."""
    return str(_FIRST_NUMBER + number)


def joined(records: Iterable[bytes]) -> bytes:
    """A batch as the child gets it."""
    return b"[%b]" % b",".join(records)


def insert(number: int, item: Item, *, key_names: Iterable[str] = ("id",)) -> StreamRecord:
    """A new item. Its old image is empty, not absent."""
    return stream_record("INSERT", number, key=_key(item, key_names), new=item, old={})


def modify(number: int, item: Item, *, key_names: Iterable[str] = ("id",)) -> StreamRecord:
    """An item that was there before."""
    key = _key(item, key_names)
    return stream_record("MODIFY", number, key=key, new=item, old={**key, "before": {"S": "old contents"}})


def remove(number: int, key: Item, **more: Any) -> StreamRecord:
    """A deleted item. Its new image is empty, not absent."""
    return stream_record("REMOVE", number, key=key, new={}, old={**key, "before": {"S": "old contents"}}, **more)


def stream_record(event_name: str, number: int, *, key: Item, new: Item, old: Item, **more: Any) -> StreamRecord:
    """Any record, also of kinds that there are not; ``more`` stands beside ``dynamodb``."""
    content = {
        "eventID": f"event-{number}",
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_700_000_000,
            "Keys": key,
            "NewImage": new,
            "OldImage": old,
            "SequenceNumber": sequence_number(number),
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        **more,
    }
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return StreamRecord(sequence_number(number), data)


def _key(item: Item, names: Iterable[str]) -> Item:
    return {name: item[name] for name in names}
