"""A key is made what the source has, however the source behaves meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from processor.dynamodb.expiry import NO_EXPIRY, Expiry, PastTtl
from processor.errors import RefusedError, UnavailableError, UnsettledError
from processor.replication.change import Change
from processor.replication.reconcile import MAX_WRITES, Reconciled, reconcile
from tests.fakes.dynamodb.changes import put
from tests.fakes.dynamodb.source import FakeSource
from tests.fakes.dynamodb.table import FakeTable

CHANGE = put("a", "1")
KEY, IDENTITY = CHANGE.key, CHANGE.identity
IMAGES = [put("a", str(value)).image for value in range(3)]
ARCHIVE = Expiry(kept=PastTtl("ttl", lambda: 10.0, longest_seconds=float("inf")))


def test_an_item_is_written_as_it_was_read() -> None:
    """The source's bytes go to the destination, with the sequence number that was given."""
    table = FakeTable()
    done = reconcile(KEY, "17", source=FakeSource({IDENTITY: IMAGES[1]}), table=table)
    assert Reconciled(kind="put", writes=1) == done
    assert {IDENTITY: bytes(IMAGES[1] or b"")} == table.items
    assert [(change.sequence_number, change.kind) for change in table.done] == [("17", "put")]


def test_a_missing_item_is_deleted() -> None:
    """Where the source has none, the destination shall have none."""
    table = FakeTable()
    table.items[IDENTITY] = b"old"
    assert Reconciled(kind="delete", writes=1) == reconcile(KEY, "1", source=FakeSource({}), table=table)
    assert table.items == {}


@pytest.mark.parametrize("image", [None, IMAGES[0]])
def test_an_equal_item_is_moot(image: msgspec.Raw | None) -> None:
    """Where the destination has what the source has, nothing is written."""
    items = {} if image is None else {IDENTITY: image}
    table = FakeTable()
    done = reconcile(KEY, "1", source=FakeSource(items), table=table, destination=FakeSource(items))
    assert Reconciled(kind="moot") == done
    assert table.calls == []


@pytest.mark.parametrize("answers", [[None], [IMAGES[0], None]], ids=["at first", "after the write"])
@pytest.mark.parametrize("there", [False, True])
def test_one_answer_that_there_is_no_item_is_not_believed(answers: list[msgspec.Raw | None], *, there: bool) -> None:
    """Neither is its key done without a write, for which a dead letter would go, nor is the item ever deleted."""
    table = FakeTable()
    if there:
        table.items[IDENTITY] = b"{}"
    source = FakeSource({IDENTITY: IMAGES[0]}, answers=answers)
    done = reconcile(KEY, "1", source=source, table=table, destination=FakeSource(dict(table.items)))
    assert Reconciled(kind="put", writes=1) == done
    assert [change.kind for change in table.done] == ["put"]


@pytest.mark.parametrize("expiry", [NO_EXPIRY, ARCHIVE], ids=["mirror", "archive"])
def test_one_answer_that_the_destination_has_none_is_not_believed(expiry: Expiry) -> None:
    """An item that the source has no more is deleted, though one answer says that it is not there to be deleted."""
    table = FakeTable()
    table.items[IDENTITY] = bytes(IMAGES[0] or b"")
    destination = FakeSource(table.items, answers=[None])
    done = reconcile(KEY, "1", source=FakeSource({}), table=table, destination=destination, expiry=expiry)
    assert Reconciled(kind="delete", writes=1) == done
    assert table.items == {}


@pytest.mark.parametrize("then", [None, IMAGES[2]])
def test_a_source_that_changed_is_written_again(then: msgspec.Raw | None) -> None:
    """A change, or a delete, between the two reads makes another round."""
    source = FakeSource({IDENTITY: IMAGES[0]}, answers=[IMAGES[0], then, then, then])
    table = FakeTable()
    done = reconcile(KEY, "1", source=source, table=table)
    assert Reconciled(kind="put" if then else "delete", writes=2) == done
    assert ({} if then is None else {IDENTITY: bytes(then)}) == table.items


def test_a_source_that_never_rests_is_an_error() -> None:
    """Rounds have a bound, and the error says what may be left behind."""
    source = FakeSource({}, answers=[IMAGES[number % 2] for number in range(MAX_WRITES + 1)])
    table = FakeTable()
    with pytest.raises(UnsettledError, match="may hold an older image"):
        reconcile(KEY, "1", source=source, table=table)
    assert len(table.done) == MAX_WRITES


def test_what_the_tables_say_is_the_callers_business() -> None:
    """Refusals and outages leave as they are."""
    source = FakeSource({IDENTITY: IMAGES[0]})
    with pytest.raises(RefusedError):
        reconcile(KEY, "1", source=source, table=FakeTable(refuse=[IDENTITY]))
    with pytest.raises(UnavailableError):
        reconcile(KEY, "1", source=source, table=FakeTable(faults=["throttle"]))


ARCHIVE = Expiry(kept=PastTtl("ttl", lambda: 10.0))


class Interfered(FakeTable):
    """Somebody else writes items there, each just before the next write of a command."""

    def __init__(self, *others: msgspec.Raw | None) -> None:
        super().__init__()
        self._others = list(others)

    def exchange(self, change: Change, there: msgspec.Raw | None) -> msgspec.Raw | None:
        """The same after that."""
        if self._others:
            other = self._others.pop(0)
            self.items[IDENTITY] = bytes(other or b"")
            if other is None:
                del self.items[IDENTITY]
        return super().exchange(change, there)


def _dated(**values: str) -> msgspec.Raw:
    item = {"id": {"S": "a"}, "ttl": {"N": "5"}} | {name: {"N": each} for name, each in values.items()}
    return msgspec.Raw(msgspec.json.encode(item))


@pytest.mark.parametrize(
    ("there", "newer"),
    [
        (None, _dated(v="2")),
        (_dated(v="0"), _dated(v="2")),
        (_dated(v="0"), _dated(w="2")),
        (_dated(v="0"), None),
        # What a condition can't see.
        (_dated(v="0"), _dated(v="0", w="2")),
    ],
)
def test_what_an_archive_got_meanwhile_stays(there: msgspec.Raw | None, newer: msgspec.Raw | None) -> None:
    """What the stream has brought between the reads and the write is what is kept: TTL has deleted the item since."""
    table = Interfered(newer)
    if there is not None:
        table.items[IDENTITY] = bytes(there)
    source = FakeSource({}, answers=[_dated(v="1"), None])
    done = reconcile(KEY, "1", source=source, table=table, destination=FakeSource(table.items), expiry=ARCHIVE)
    assert ({} if newer is None else {IDENTITY: bytes(newer)}) == table.items
    assert done.kind == "moot"


def test_what_an_archive_gets_all_the_time_is_an_error() -> None:
    """Rounds have a bound there, too."""
    table = Interfered(*(_dated(v=str(number)) for number in range(MAX_WRITES)))
    source = FakeSource({IDENTITY: _dated(v="1000")})
    with pytest.raises(UnsettledError, match="may hold an older image"):
        reconcile(KEY, "1", source=source, table=table, destination=FakeSource(table.items), expiry=ARCHIVE)


def test_what_an_archive_keeps_is_not_deleted() -> None:
    """An item past its TTL that the source no longer has: also if it goes between the write and the second read."""
    past = msgspec.Raw(b'{"id":{"S":"a"},"ttl":{"N":"5"}}')
    expiry = Expiry(kept=PastTtl("ttl", lambda: 10.0))
    table = FakeTable()
    done = reconcile(
        KEY, "1", source=FakeSource({}), table=table, destination=FakeSource({IDENTITY: past}), expiry=expiry
    )
    assert (done.kind, table.calls) == ("moot", [])
    source = FakeSource({}, answers=[past, None, None])
    done = reconcile(KEY, "1", source=source, table=table, destination=FakeSource(table.items), expiry=expiry)
    assert (done.kind, done.writes, table.items) == ("moot", 1, {IDENTITY: bytes(past)})
    now = Expiry(kept=PastTtl("ttl", lambda: 5.0))
    done = reconcile(KEY, "1", source=FakeSource({}), table=table, destination=FakeSource(table.items), expiry=now)
    assert (done.kind, table.items) == ("delete", {})
