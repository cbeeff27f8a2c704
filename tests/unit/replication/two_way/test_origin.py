"""Whose write a record of the spoke is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from processor.dynamodb.keys import identity_of
from processor.errors import MalformedRecordError
from processor.replication import stream_record
from processor.replication.two_way.marker import Markers, Reading
from processor.replication.two_way.origin import WINDOW_MS, is_replicators
from processor.replication.two_way.stamp import Stamp
from tests.fakes.streams.stream_record import Item, modify, remove
from tests.fakes.streams.stream_record import stream_record as record

NAME = "_replication"
MARKERS = Markers(NAME)
KEY = {"id": {"S": "k"}}
IDENTITY = identity_of(msgspec.Raw(b'{"id":{"S":"k"}}'))
NOW = 1_700_000_000_000


def _mirrored(value: int, *, number: int = 7, at_ms: int = NOW) -> Item:
    image = msgspec.Raw(msgspec.json.encode({**KEY, "v": {"N": str(value)}}))
    made = MARKERS.put(image, IDENTITY, sequence_number=number, stamp=Stamp(at_ms, b"nonce!"))
    item: Item = json.loads(bytes(made))
    return item


def _marked(item: Item, *, number: int = 8, at_ms: int = NOW) -> Item:
    mark = MARKERS.deleting(IDENTITY, sequence_number=number, stamp=Stamp(at_ms, b"nonce!"))
    return {**item, NAME: json.loads(bytes(mark.stored))}


def _by_application(value: int) -> Item:
    return {**KEY, "v": {"N": str(value)}}


def _read(item: Item | None) -> Reading | None:
    return MARKERS.read(None if item is None else msgspec.Raw(msgspec.json.encode(item)), IDENTITY)


OWN: dict[str, tuple[Item | None, Item | None]] = {
    "a put of a new item": (None, _mirrored(1)),
    "a put over an older one": (_mirrored(1, number=6), _mirrored(2)),
    "a put over an application's": (_by_application(1), _mirrored(2)),
    "a later put with the same number, a repair's": (_mirrored(1), _mirrored(2, at_ms=NOW + 1)),
    "a put of what is there": (_by_application(1), _mirrored(1)),
    "a mark": (_mirrored(1), _marked(_mirrored(1))),
    "a removal of what is marked": (_marked(_mirrored(1)), None),
    "a removal of what is marked and was changed since": ({**_marked(_mirrored(1)), "v": {"N": "2"}}, None),
}
APPLICATIONS: dict[str, tuple[Item | None, Item | None]] = {
    "an insert": (None, _by_application(1)),
    "a put that drops the marker": (_mirrored(1), _by_application(2)),
    "an update that keeps it": (_mirrored(1), {**_mirrored(1), "v": {"N": "2"}}),
    "an old item, marker and all": (_mirrored(2, number=8), _mirrored(1)),
    "an old item with the same number": (_mirrored(2, at_ms=NOW + 1), _mirrored(1)),
    "a changed item with a newer marker": (None, {**_mirrored(1), "v": {"N": "2"}}),
    "a changed item with a mark": (_mirrored(1), _marked(_by_application(2))),
    "a removal": (_mirrored(1), None),
    "a removal of its own item": (_by_application(1), None),
}


@pytest.mark.parametrize(("old", "new"), OWN.values(), ids=OWN)
def test_what_is_the_replicators(old: Item | None, new: Item | None) -> None:
    """It is passed over."""
    assert is_replicators(_read(old), _read(new), created_ms=NOW)


@pytest.mark.parametrize(("old", "new"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_what_is_an_applications(old: Item | None, new: Item | None) -> None:
    """It goes to the hub."""
    assert not is_replicators(_read(old), _read(new), created_ms=NOW)


def test_an_item_is_put_back_after_a_while() -> None:
    """Its marker's time tells it from the mirror's own write, where the record has a time."""
    old = _read(_mirrored(1, at_ms=NOW - WINDOW_MS - 1))
    assert not is_replicators(None, old, created_ms=NOW)
    assert is_replicators(None, old, created_ms=NOW - 1)
    assert is_replicators(None, old, created_ms=0)


def test_what_was_marked_long_ago_was_not_removed_by_the_mirror() -> None:
    """It marks and deletes at once."""
    marked = _read(_marked(_mirrored(1), at_ms=NOW - WINDOW_MS - 1))
    assert not is_replicators(marked, None, created_ms=NOW)
    assert is_replicators(marked, None, created_ms=NOW, is_by_ttl=True)


def test_an_applications_record_has_no_marker_to_write() -> None:
    """What the old image's marker says is kept: by that a conflict's reader knows what the application has seen."""
    (change,) = _decoded(record("MODIFY", 1, key=KEY, old=_mirrored(1), new={**_mirrored(1), "v": {"N": "2"}}).data)
    assert change.image is not None
    (write,) = change.spoke_writes
    assert json.loads(bytes(change.image)) == _by_application(2)
    assert write.old is not None
    assert json.loads(bytes(write.old)) == _by_application(1)
    assert (write.new, write.hub_sequence_number, write.mirrored_ms) == (change.image, "7", NOW)


@pytest.mark.parametrize("made", [modify(1, _by_application(1)), remove(1, KEY)])
def test_a_stream_without_old_images(made: Any) -> None:
    """Nothing can be decided by it: the shard is held, with the remedy."""
    content = json.loads(made.data)
    del content["dynamodb"]["OldImage"]
    with pytest.raises(MalformedRecordError, match="NEW_AND_OLD_IMAGES"):
        _decoded(json.dumps(content).encode())


def _decoded(data: bytes) -> Any:
    return stream_record.decode(b"[%b]" % data, spoke=MARKERS)
