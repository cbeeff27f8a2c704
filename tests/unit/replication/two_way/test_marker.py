"""The marker: made, read, compared, and never an error."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from processor.dynamodb.keys import identity_of
from processor.errors import MalformedItemError
from processor.replication.two_way.marker import Marker, Markers, Reading
from processor.replication.two_way.stamp import Stamp, new_stamp

NAME = "_replication"
MARKERS = Markers(NAME)
STAMP = Stamp(1_764_273_600_000, b"nonce!")
NUMBER = 10**39 + 7


def _raw(item: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(item).encode())


def _item(key: str = "k", **attributes: Any) -> dict[str, Any]:
    return {"id": {"S": key}, **attributes}


def _identity(key: str = "k") -> bytes:
    return identity_of(_raw({"id": {"S": key}}))


def _put(item: Any, *, number: int = NUMBER, stamp: Stamp = STAMP, key: str = "k") -> Any:
    return json.loads(bytes(MARKERS.put(_raw(item), _identity(key), sequence_number=number, stamp=stamp)))


def _read(item: Any, key: str = "k") -> Reading:
    reading = MARKERS.read(_raw(item), _identity(key))
    assert reading is not None
    return reading


def _marker(item: Any, key: str = "k") -> Marker:
    marker = _read(item, key).marker
    assert marker is not None
    return marker


def test_a_marker_says_what_was_written() -> None:
    """It is read as it was made, and the item beside it is as the hub has it."""
    written = _put(_item(v={"N": "1.50"}))
    marker = _marker(written)
    assert (marker.sequence_number, marker.written_ms, marker.nonce, marker.kind) == (NUMBER, *STAMP, "put")
    assert _read(written).is_intact
    assert json.loads(bytes(MARKERS.without(_raw(written)))) == _item(v={"N": "1.50"})
    assert json.loads(bytes(marker.stored)) == written[NAME]


def test_the_size_is_known() -> None:
    """What docs say of it."""
    assert MARKERS.item_bytes == 100


def test_an_attribute_of_the_hub_with_that_name_is_left_out() -> None:
    """The hub's items bear no marker; one that an application has brought there means nothing."""
    written = _put(_put(_item(), number=3))
    assert _marker(written).sequence_number == NUMBER
    assert MARKERS.content(_raw(written)) == MARKERS.content(_raw(_item()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"N": "1.50"}, {"N": "15E-1"}),
        ({"N": "-0"}, {"N": "0"}),
        ({"NS": ["1", "2.0"]}, {"NS": ["2", "1"]}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        (
            {"L": [{"M": {"a": {"N": "1"}, "b": {"BS": ["AA==", "AQ=="]}}}]},
            {"L": [{"M": {"b": {"BS": ["AQ==", "AA=="]}, "a": {"N": "1.0"}}}]},
        ),
    ],
)
def test_the_digest_outlives_notations(one: Any, other: Any) -> None:
    """The stream at the spoke may write an item otherwise than the hub's did."""
    written = _put(_item(v=one))
    assert _read({**written, "v": other}).is_intact


@pytest.mark.parametrize(
    "change",
    [
        {"v": {"N": "2"}},
        {"v": {"S": "1"}},
        {"more": {"NULL": True}},
        {"l": {"L": [{"N": "2"}, {"N": "1"}]}},
    ],
)
def test_the_digest_sees_every_change(change: Any) -> None:
    """An application's update keeps the marker, and is told from the replicator's own write."""
    written = _put(_item(v={"N": "1"}, l={"L": [{"N": "1"}, {"N": "2"}]}))
    reading = _read({**written, **change})
    assert reading.marker is not None
    assert not reading.is_intact


def test_a_marker_of_another_key_is_none() -> None:
    """An application has copied an item to another key, marker and all."""
    written = _put(_item("one", v={"N": "1"}), key="one")
    copied = {**written, "id": {"S": "other"}}
    reading = _read(copied, "other")
    assert reading.marker is None
    assert not reading.is_intact
    assert reading.stored is not None
    assert json.loads(bytes(reading.stored)) == written[NAME]


def test_sequence_numbers_are_compared_as_numbers() -> None:
    """Their texts have one length in markers, so DynamoDB compares them so, too."""
    numbers = [0, 9, 10, 10**20, 10**39]
    texts = [_put(_item(), number=number)[NAME]["M"]["s"]["S"] for number in numbers]
    assert texts == sorted(texts)
    assert [_marker(_put(_item(), number=number)).sequence_number for number in numbers] == numbers


@pytest.mark.parametrize(
    "value",
    [
        {"S": "mine"},
        {"NULL": True},
        {"M": {}},
        {"L": [{"S": "s"}]},
        {"NS": ["1"]},
        {"N": "5"},
        {"M": {"s": {"S": "7"}}},
    ],
)
def test_what_else_stands_there_is_no_marker(value: Any) -> None:
    """An application uses the attribute for something of its own."""
    reading = _read({**_item(), NAME: value})
    assert (reading.marker, reading.is_intact) == (None, False)
    assert reading.stored is not None
    assert json.loads(bytes(reading.stored)) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("s", {"S": "7"}),
        ("s", {"S": "x" * 40}),
        ("s", {"S": "\u0661" * 40}),
        ("s", {"N": "7"}),
        ("t", {"N": "-1"}),
        ("t", {"N": "1.5"}),
        ("t", {"S": "1"}),
        ("n", {"B": "AA=="}),
        ("n", {"S": "nonce!"}),
        ("k", {"S": "kept"}),
        ("d", {"B": ""}),
        ("d", {"B": "not base64"}),
        ("d", {"NULL": True}),
        ("more", {"S": ""}),
        ("s", None),
    ],
)
def test_a_marker_with_a_wrong_field_is_none(field: str, value: Any) -> None:
    """One that somebody has changed, or made."""
    written = _put(_item())
    fields = {**written[NAME]["M"], field: value}
    if value is None:
        del fields[field]
    assert _read({**written, NAME: {"M": fields}}).marker is None


def test_no_item_has_no_reading() -> None:
    """And what is no item is an error of whoever has sent it."""
    assert MARKERS.read(None, _identity()) is None
    assert MARKERS.content(None) is None
    with pytest.raises(MalformedItemError):
        MARKERS.read(msgspec.Raw(b'{"id":1}'), _identity())


def test_a_copy_keeps_the_number_and_is_later() -> None:
    """Whatever its clock says: of two writes with one number, the later has the later time."""
    there = _read(_put(_item(v={"N": "1"})))
    made = MARKERS.copied(_raw(_item(v={"N": "2"})), _identity(), over=there, stamp=Stamp(5, b"other!"))
    assert there.marker is not None
    assert _marker(json.loads(bytes(made))).order == (NUMBER, STAMP.written_ms + 1)
    assert _marker(json.loads(bytes(made))).order > there.marker.order


@pytest.mark.parametrize("there", [None, {}, {NAME: {"S": "mine"}}])
def test_a_copy_where_no_marker_is_has_the_number_zero(there: Any) -> None:
    """Every record of the hub is newer than that."""
    over = None if there is None else _read({**_item(), **there})
    made = MARKERS.copied(_raw(_item()), _identity(), over=over, stamp=STAMP)
    assert _marker(json.loads(bytes(made))).order == (0, STAMP.written_ms)


def test_what_will_be_deleted_keeps_its_content() -> None:
    """The digest has the key's part only, for the mirror does not look at the rest."""
    marker = MARKERS.deleting(_identity(), sequence_number=NUMBER, stamp=STAMP)
    item = {**_item(v={"N": "1"}), NAME: json.loads(bytes(marker.stored))}
    assert _marker(item) == marker
    assert not _read(item).is_intact


@pytest.mark.parametrize("name", ['a "b"', "ü", "%s", "#m"])
def test_the_attribute_may_have_any_name(name: str) -> None:
    """It is the user's."""
    markers = Markers(name)
    made = markers.put(_raw(_item(v={"S": "1"})), _identity(), sequence_number=1, stamp=STAMP)
    reading = markers.read(made, _identity())
    assert reading is not None
    assert reading.is_intact
    assert json.loads(bytes(markers.without(made))) == _item(v={"S": "1"})


def test_stamps_differ() -> None:
    """Even two of one moment."""
    assert new_stamp().nonce != new_stamp().nonce
    assert len(new_stamp().nonce) == 6
