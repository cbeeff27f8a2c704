"""Which items are past their TTL, and which differences that excuses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from processor.dynamodb.expiry import KEEPS_ALL, NEVER, NO_EXPIRY, OLDEST_SECONDS, Expiry, PastTtl
from processor.dynamodb.item_view import UNSEEN
from processor.errors import MalformedItemError

NOW = 1_800_000_000.0
PAST = PastTtl("ttl", lambda: NOW)
KEPT = PastTtl("ttl", lambda: NOW, longest_seconds=float("inf"))


def _item(value: Any = None, name: str = "ttl") -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"id": {"S": "a"}, **({} if value is None else {name: value})}))


def _at(seconds: float) -> msgspec.Raw:
    return _item({"N": f"{NOW + seconds:.0f}"})


@pytest.mark.parametrize(
    ("item", "is_past"),
    [
        (_at(-1), True),
        (_at(0), False),
        (_at(1), False),
        (_at(-OLDEST_SECONDS), True),
        (_at(-OLDEST_SECONDS - 1), False),  # DynamoDB takes it for a mistake, and keeps the item
        (_item({"N": "1.7E9"}), True),
        (_item({"N": f"{(NOW - 1) * 1000:.0f}"}), False),  # milliseconds: far in the future
        (_item({"S": "1700000000"}), False),
        (_item({"M": {"ttl": {"N": "1700000000"}}}), False),
        (_item({"NULL": True}), False),
        (_item(), False),
        (_item({"N": "1700000000"}, name="other"), False),
    ],
)
def test_an_item_past_its_ttl(item: msgspec.Raw, is_past: bool) -> None:  # noqa: FBT001
    """By DynamoDB's rules: a number of seconds, past, and not by more than five years."""
    assert PAST(item) == is_past
    assert not NEVER(item)


@pytest.mark.parametrize("name", ["ttl", 't"t\\l', "ünï", "a.b", "class"])
def test_any_name(name: str) -> None:
    """An attribute may be called anything."""
    assert PastTtl(name, lambda: NOW)(_item({"N": "1700000000"}, name=name))


def test_no_item() -> None:
    """What can't be read is an error, and no date."""
    with pytest.raises(MalformedItemError):
        PAST(msgspec.Raw(b"[1]"))


def test_one_moment() -> None:
    """What was asked for as of a moment stays as it was then."""
    clock = [NOW]
    past = PastTtl("ttl", lambda: clock[0])
    then, item = past.now(), _at(5)
    clock[0] += 10
    assert (past(item), then(item)) == (True, False)


OLD, NEW = _at(-10), _at(10)


@pytest.mark.parametrize(
    ("source", "destination", "alike", "source_only"),
    [
        (OLD, None, True, True),  # the destination was first
        (None, OLD, True, False),  # the source was first; without a TTL of its own the destination keeps it
        (OLD, _at(-20), True, True),  # both are about to go
        (OLD, NEW, False, False),  # the destination missed that it was dated back
        (NEW, OLD, False, False),  # or that it was put off
        (NEW, None, False, False),
        (None, NEW, False, False),
    ],
)
def test_what_is_no_difference(
    source: msgspec.Raw | None,
    destination: msgspec.Raw | None,
    alike: bool,  # noqa: FBT001
    source_only: bool,  # noqa: FBT001
) -> None:
    """Where both tables have TTL on that attribute, and where the source alone has."""
    assert Expiry(PAST, PAST).excuses(source, destination) == alike
    assert Expiry(PAST, NEVER).excuses(source, destination) == source_only
    assert not NO_EXPIRY.excuses(source, destination)
    assert (Expiry(PAST, PAST).is_alike, Expiry(PAST, NEVER).is_alike, NO_EXPIRY.is_alike) == (True, False, False)


LONG_AGO = _at(-2 * OLDEST_SECONDS)


def test_what_an_archive_keeps() -> None:
    """With ttlDeletes=ignore: what TTL deleted at the source, however long ago; all else is as if there were no TTL."""
    archive = Expiry(NEVER, NEVER, KEPT)
    for destination in (OLD, LONG_AGO):
        assert archive.excuses(None, destination)
    for source, destination in ((None, NEW), (OLD, None), (OLD, NEW), (NEW, None)):
        assert not archive.excuses(source, destination)
    assert archive.is_alike
    assert archive.past("source")(OLD)
    assert archive.past("destination")(LONG_AGO)
    assert archive.now().excuses(None, OLD)
    assert not archive.excuses(UNSEEN, OLD)


def test_what_may_all_be_kept() -> None:
    """Whatever only the destination has, where nothing says what TTL has deleted."""
    for destination in (OLD, NEW, LONG_AGO):
        assert KEEPS_ALL.now().excuses(None, destination)
        assert not KEEPS_ALL.excuses(UNSEEN, destination)
        assert not KEEPS_ALL.excuses(NEW, destination)
        assert not KEEPS_ALL.past("destination")(destination)
    assert (KEEPS_ALL.is_archive, KEEPS_ALL.is_alike, NO_EXPIRY.is_archive) == (True, False, False)


def test_an_attribute_of_another_name() -> None:
    """As it is called at the destination."""
    renamed = PAST.named("there")
    assert (renamed(_item({"N": "1700000000"}, name="there")), renamed(OLD), renamed(LONG_AGO)) == (True, False, False)
