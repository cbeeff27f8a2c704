"""Stream record → Change."""

from __future__ import annotations

import json

import msgspec
import pytest

from processor.dynamodb.keys import key_identity
from processor.errors import MalformedRecordError, UnviewableError
from processor.replication import stream_record as module
from processor.replication.change import Fault
from tests.fakes.dynamodb.changes import decode
from tests.fakes.streams.stream_record import Item, insert, joined, modify, remove, stream_record

KEY = {"id": {"S": "a"}}


def test_insert_and_modify_put_the_new_image() -> None:
    """An INSERT or MODIFY writes the whole new image, byte for byte."""
    item = {"id": {"S": "a"}, "price": {"N": "1.50"}}
    for made in (insert(1, item), modify(1, item)):
        change = decode(made.data)
        assert (change.kind, bytes(change.image or b"")) == ("put", b'{"id":{"S":"a"},"price":{"N":"1.50"}}')


def test_remove_deletes_although_it_has_a_new_image() -> None:
    """A REMOVE deletes by key: its empty NewImage says nothing, for the event name decides."""
    change = decode(remove(7, KEY).data)
    assert (change.kind, bytes(change.key), change.image) == ("delete", b'{"id":{"S":"a"}}', None)
    assert (change.event_name, change.sequence_number) == ("REMOVE", "100000000000000000007")


def test_a_deletion_by_ttl_is_a_deletion() -> None:
    """What the source's TTL deletes is deleted at the destination."""
    ttl = {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}
    assert decode(remove(1, KEY, **ttl).data).kind == "delete"


def test_the_creation_time_is_in_milliseconds() -> None:
    """``created_ms`` is the record's own time, and 0 where it has none."""
    data = json.loads(insert(1, KEY).data)
    assert decode(json.dumps(data).encode()).created_ms == 1_700_000_000_000
    del data["dynamodb"]["ApproximateCreationDateTime"]
    assert decode(json.dumps(data).encode()).created_ms == 0


MALFORMED = {
    "no JSON": b"{",
    "no record": b"[]",
    "no event name": b'{"dynamodb":{"Keys":{"id":{"S":"a"}},"SequenceNumber":"1"}}',
    "no keys": b'{"eventName":"REMOVE","dynamodb":{"SequenceNumber":"1"}}',
    "no sequence number": b'{"eventName":"REMOVE","dynamodb":{"Keys":{"id":{"S":"a"}}}}',
    "two types": b'{"eventName":"REMOVE","dynamodb":{"Keys":{"id":{"S":"a","N":"1"}},"SequenceNumber":"1"}}',
    "no number": b'{"eventName":"REMOVE","dynamodb":{"Keys":{"id":{"N":"secret"}},"SequenceNumber":"1"}}',
    "unknown kind": stream_record("UPSERT", 1, key=KEY, new=KEY, old={}).data,
    "no new image": stream_record("MODIFY", 1, key=KEY, new={}, old=KEY).data,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_a_record_that_cannot_be_understood_is_refused(data: bytes) -> None:
    """A record without what a change needs is an error of its own kind, which holds nothing of the item."""
    with pytest.raises(MalformedRecordError) as caught:
        decode(data)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"N": "1"}, {"N": "1.0"}, True),
        ({"N": "100"}, {"N": "1E+2"}, True),
        ({"N": "-0"}, {"N": "0"}, True),
        ({"N": "1E-130"}, {"N": "0." + "0" * 129 + "1"}, True),
        ({"N": "9" * 38}, {"N": "9" * 37 + "8"}, False),
        ({"N": "1"}, {"S": "1"}, False),
        ({"S": "1"}, {"S": "1.0"}, False),
        ({"S": "YQ=="}, {"B": "YQ=="}, False),
        ({"S": "e\u0301"}, {"S": "\u00e9"}, False),
    ],
)
def test_identities_are_equal_for_equal_keys_only(one: dict[str, str], other: dict[str, str], *, equal: bool) -> None:
    """A number's notation makes no difference between two keys; its value, and anything of a string, does."""
    assert equal == (key_identity({"k": one}) == key_identity({"k": other}))


def test_key_names_are_the_keys_attributes() -> None:
    """``key_names`` are those of the key alone, whatever else the item has."""
    change = decode(insert(1, {"id": {"S": "a"}, "at": {"N": "1"}, "x": {"S": ""}}, key_names=("id", "at")).data)
    assert {"id", "at"} == set(change.key_names)
    assert msgspec.json.decode(change.key) == {"id": {"S": "a"}, "at": {"N": "1"}}


SEEN = {**KEY, "seen": {"S": "x"}, "name": {"S": "Ada"}}
UNSEEN = {**KEY, "name": {"S": "Ada"}}


def _view(item: msgspec.Raw) -> msgspec.Raw | None:
    """The key of items with an attribute ``seen``."""
    return msgspec.Raw(msgspec.json.encode(KEY)) if "seen" in json.loads(bytes(item)) else None


@pytest.mark.parametrize(
    ("event_name", "old", "new", "kind"),
    [
        ("INSERT", {}, SEEN, "put"),
        ("MODIFY", SEEN, SEEN, "put"),
        ("MODIFY", UNSEEN, SEEN, "put"),
        ("MODIFY", {}, SEEN, "put"),
        ("MODIFY", SEEN, UNSEEN, "delete"),
        ("INSERT", {}, UNSEEN, "nothing"),
        ("MODIFY", UNSEEN, UNSEEN, "nothing"),
        ("MODIFY", {}, UNSEEN, "delete"),
        ("REMOVE", UNSEEN, {}, "nothing"),
        ("REMOVE", SEEN, {}, "delete"),
        ("REMOVE", {}, {}, "delete"),
    ],
)
def test_what_is_written_follows_from_both_images(event_name: str, old: Item, new: Item, kind: str) -> None:
    """By the task's view; an image that the stream does not have may have been seen."""
    record = stream_record(event_name, 1, key=KEY, new=new, old=old)
    (change,) = module.decode(joined([record.data]), _view)
    assert (change.kind, change.image and bytes(change.image)) == (kind, b'{"id":{"S":"a"}}' if kind == "put" else None)
    assert (change.event_name, change.sequence_number) == (event_name, record.sequence_number)


def test_a_new_item_ends_what_was_kept_of_its_key() -> None:
    """With ttlDeletes=ignore an item that TTL has deleted may be there when its key is used again, unseen."""
    record = stream_record("INSERT", 1, key=KEY, new=UNSEEN, old={})
    (change,) = module.decode(joined([record.data]), _view, keeps_expired=True)
    assert (change.kind, change.image) == ("delete", None)


def test_an_old_image_that_is_absent_is_not_known() -> None:
    """As a stream of new images alone leaves it out."""
    record = json.loads(stream_record("MODIFY", 1, key=KEY, new=UNSEEN, old={}).data)
    del record["dynamodb"]["OldImage"]
    (change,) = module.decode(json.dumps([record]).encode(), _view)
    assert change.kind == "delete"


def _failing(item: msgspec.Raw) -> msgspec.Raw | None:
    """No view can be made of an item with ``bad``."""
    if b'"bad"' in bytes(item):
        raise UnviewableError("transform raised ValueError at t.py:1, in view", code="TransformFailed")
    return item if b'"shown"' in bytes(item) else None


BAD, SHOWN, HIDDEN = ({**KEY, name: {"S": "x"}} for name in ("bad", "shown", "hidden"))


@pytest.mark.parametrize(
    ("event_name", "new", "old", "kind"),
    [
        ("MODIFY", HIDDEN, BAD, "delete"),
        ("REMOVE", {}, BAD, "delete"),
        ("MODIFY", SHOWN, BAD, "put"),
        ("INSERT", HIDDEN, {}, "nothing"),
    ],
)
def test_an_old_image_without_a_view_is_not_known(event_name: str, new: Item, old: Item, kind: str) -> None:
    """It may have been seen by an earlier version of the transform, so what is there is deleted."""
    record = stream_record(event_name, 1, key=KEY, new=new, old=old)
    (change,) = module.decode(joined([record.data]), _failing)
    assert (change.kind, change.fault) == (kind, None)


def test_a_new_image_without_a_view_is_a_put_that_cannot_be_written() -> None:
    """It keeps the source's item, for a dead letter, and the reason; the other records of its batch are as ever."""
    was_shown = stream_record("MODIFY", 3, key=KEY, new=HIDDEN, old=SHOWN)
    records = [insert(1, SHOWN), modify(2, BAD), was_shown]
    shown, bad, hidden = module.decode(joined(each.data for each in records), _failing)
    assert (shown.kind, shown.fault, hidden.kind, hidden.fault) == ("put", None, "delete", None)
    assert (bad.kind, bad.image) == ("put", None)
    assert json.loads(bytes(bad.source_item or b"")) == BAD
    assert bad.fault == Fault(reason="transform raised ValueError at t.py:1, in view", code="TransformFailed")


TTL = {
    "as the API has it": {"userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}},
    "as the developer guide has it": {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}},
}
OTHERS = {
    "nobody's": {},
    "null": {"userIdentity": None},
    "another service's": {"userIdentity": {"Type": "Service", "PrincipalId": "replication.dynamodb.amazonaws.com"}},
    "a user of that name": {"userIdentity": {"Type": "User", "PrincipalId": "dynamodb.amazonaws.com"}},
    "a mixture": {"userIdentity": {"Type": "Service", "principalId": "dynamodb.amazonaws.com"}},
}


@pytest.mark.parametrize("more", TTL.values(), ids=TTL)
def test_what_ttl_deletes_may_be_kept(more: dict[str, object]) -> None:
    """With ttlDeletes=ignore; without a word it is deleted."""
    record = joined([remove(1, KEY, **more).data])
    assert [change.kind for change in module.decode(record, keeps_expired=True)] == ["nothing"]
    assert [change.kind for change in module.decode(record)] == ["delete"]


@pytest.mark.parametrize("more", OTHERS.values(), ids=OTHERS)
def test_what_others_delete_is_deleted(more: dict[str, object]) -> None:
    """An archive is no place for what an application deletes."""
    record = joined([remove(1, KEY, **more).data])
    assert [change.kind for change in module.decode(record, keeps_expired=True)] == ["delete"]


def test_an_item_written_by_dynamodb_is_written() -> None:
    """Only removals are looked at."""
    record = stream_record("INSERT", 1, key=KEY, new=SHOWN, old={}, **TTL["as the API has it"])
    assert [change.kind for change in module.decode(joined([record.data]), keeps_expired=True)] == ["put"]


def test_an_identity_that_is_none_is_no_record() -> None:
    """Whether a removal is TTL's must be known."""
    with pytest.raises(MalformedRecordError, match="who made a removal"):
        module.decode(joined([remove(1, KEY, userIdentity=[1]).data]), keeps_expired=True)
