"""Which writes at the spoke become one at the hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from processor.replication import stream_record
from processor.replication.change import Change
from processor.replication.two_way.chains import chained
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import Stamp
from tests.fakes.streams.stream_record import Item
from tests.fakes.streams.stream_record import stream_record as record

NAME = "_replication"
MARKERS = Markers(NAME)


def _item(value: str | None, key: str = "k") -> Item | None:
    return None if value is None else {"id": {"S": key}, "v": {"N": value}}


def _mirrored(value: str, number: int) -> Item:
    change = _changes([(None, _item(value))])[0]
    assert change.image is not None
    made = MARKERS.put(change.image, change.identity, sequence_number=number, stamp=Stamp(1_700_000_000_000, b"nonce!"))
    item: Item = json.loads(bytes(made))
    return item


def _changes(images: Sequence[tuple[Item | None, Item | None]]) -> list[Change]:
    """The applications' of these records."""
    data = [
        record(
            "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            number,
            key={"id": (new or old or {})["id"]},
            old=old or {},
            new=new or {},
        ).data
        for number, (old, new) in enumerate(images, 1)
    ]
    found = stream_record.decode(b"[%b]" % b",".join(data), spoke=MARKERS)
    return [change for change in found if change.kind != "echo"]


def _shown(changes: Sequence[Change]) -> list[list[Any]]:
    """Of each change the values that its writes have made."""
    return [
        [None if write.new is None else json.loads(bytes(write.new))["v"]["N"] for write in change.spoke_writes]
        for change in changes
    ]


def test_what_follows_is_one() -> None:
    """It is the last change, with the writes of all; one alone is itself."""
    changes = _changes([(None, _item("1")), (_item("1"), _item("2")), (_item("2"), None)])
    (found,) = chained(changes)
    assert (found.kind, found.image, found.sequence_number) == ("delete", None, changes[-1].sequence_number)
    assert _shown([found]) == [["1", "2", None]]
    assert chained(changes[:1]) == changes[:1]
    assert chained([]) == []


def test_numbers_are_compared_as_numbers() -> None:
    """As everywhere: 1 and 1.0 are one value."""
    assert len(chained(_changes([(None, _item("1")), (_item("1.0"), _item("2"))]))) == 1


def test_a_marker_in_between_does_not_matter() -> None:
    """After a crash the first write has already come back with its marker."""
    first, back = _item("1"), _mirrored("1", 7)
    changes = _changes([(None, first), (first, back), (back, _item("2"))])
    assert _shown(chained(changes)) == [["1", "2"]]


def test_what_the_mirror_has_brought_begins_anew() -> None:
    """The application has written over an item of the hub's, and not over its own."""
    first, hubs = _item("1"), _mirrored("5", 7)
    changes = _changes([(None, first), (first, hubs), (hubs, _item("2")), (_item("2"), _item("3"))])
    assert _shown(chained(changes)) == [["1"], ["2", "3"]]


def test_each_key_has_its_own() -> None:
    """And keeps its order."""
    changes = _changes(
        [
            (None, _item("1", "a")),
            (None, _item("1", "b")),
            (_item("1", "a"), _item("2", "a")),
            (_item("9", "a"), _item("3", "a")),
        ]
    )
    assert _shown(chained(changes)) == [["1", "2"], ["1"], ["3"]]
