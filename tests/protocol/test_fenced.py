"""``writeMode=fenced``: what a write finds at the destination, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boto3
import pytest
from msgspec import structs

from processor.aws.timeouts import WriteTimeouts
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.dynamodb.reader import ReadableTable
from processor.errors import RefusedError
from processor.replication.change import Change
from processor.replication.fenced_writer import FencedTable
from tests.conftest import REGION, Tables
from tests.fakes.dynamodb.changes import decode
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import Item, StreamRecord, insert, modify, remove
from tests.protocol.conftest import Start, item

FENCE = "_replicatedSequenceNumber"


class Fence:
    """A source and a destination with the one key ``k``."""

    def __init__(self, dynamodb: DynamoDBLocal, tables: Tables, *, keeps_expired: bool = False) -> None:
        self._tables = tables
        self.source, self.destination = tables.create(), tables.create()
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=dynamodb.endpoint)
        self.table = FencedTable(
            self.destination,
            attribute=FENCE,
            source=ReadableTable(
                self.source,
                region=REGION,
                connect=lambda: client,
                view=lambda item: None if b"aside" in bytes(item) else item,
                marks_unseen=keeps_expired,
            ),
            keeps_expired=keeps_expired,
            region=REGION,
            endpoint=dynamodb.endpoint,
            connections=1,
            timeouts=WriteTimeouts(connect=3, read=10),
        )

    def put_source(self, value: str) -> None:
        """The source's item, as it is now."""
        self._tables.call("PutItem", TableName=self.source, Item=_item(value))

    def put_destination(self, value: str) -> None:
        """The destination's item, as it was copied."""
        self._tables.call("PutItem", TableName=self.destination, Item=_item(value))

    @property
    def value(self) -> str | None:
        """The destination's."""
        (found,) = self._tables.items(self.destination) or [None]
        return found and found["value"]["S"]

    @property
    def number(self) -> int | None:
        """The sequence number that the destination's item carries."""
        (found,) = self._tables.items(self.destination)
        assert len(found[FENCE]["S"]) == 40
        return int(found[FENCE]["S"])


def _item(value: str) -> Item:
    return item("k", value={"S": value})


def _change(make: Callable[..., StreamRecord], number: int) -> Change:
    record = make(number, item("k")) if make is remove else make(number, _item(f"{make.__name__} {number}"))
    return decode(record.data)


@pytest.fixture
def fence(dynamodb: DynamoDBLocal, tables: Tables) -> Iterator[Fence]:
    """Fresh tables."""
    return Fence(dynamodb, tables)


@pytest.mark.parametrize("make", [insert, modify, remove])
def test_an_older_change_is_moot(make: Callable[..., StreamRecord], fence: Fence) -> None:
    """Whatever it is, it leaves the item of a newer change as it is; so does the same change again."""
    newest = _change(insert, 7)
    assert fence.table.write_one(newest)
    assert not fence.table.write_one(_change(make, 6))
    assert not fence.table.write_one(newest)
    assert ("insert 7", int(newest.sequence_number)) == (fence.value, fence.number)


@pytest.mark.parametrize("make", [insert, modify, remove])
def test_a_newer_change_is_written(make: Callable[..., StreamRecord], fence: Fence) -> None:
    """Over an item with an older number."""
    fence.table.write_one(_change(insert, 7))
    assert fence.table.write_one(_change(make, 8))
    assert fence.value == (None if make is remove else f"{make.__name__} 8")


@pytest.mark.parametrize("make", [insert, modify, remove])
def test_an_item_without_a_number_is_written_over(make: Callable[..., StreamRecord], fence: Fence) -> None:
    """As those that were copied before."""
    fence.put_destination("copied")
    assert fence.table.write_one(_change(make, 1))
    assert fence.value == (None if make is remove else f"{make.__name__} 1")


def test_an_update_brings_no_deleted_item_back(fence: Fence) -> None:
    """An old MODIFY that is written after the REMOVE: the source no longer has the item either."""
    for change in (_change(insert, 1), _change(modify, 2), _change(remove, 3), _change(modify, 2)):
        fence.table.write_one(change)
    assert fence.value is None


def test_an_update_of_an_item_that_was_never_copied(fence: Fence) -> None:
    """The source has it, so the destination gets it as it is there now; its later records are newer all the same."""
    fence.put_source("now")
    assert fence.table.write_one(_change(modify, 5))
    assert fence.value == "now"
    assert not fence.table.write_one(_change(modify, 5))
    assert fence.table.write_one(_change(modify, 6))
    assert fence.value == "modify 6"


def test_an_update_of_what_ttl_has_deleted_is_kept(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """With ttlDeletes=ignore it may be all that there is of the item; without, it brings nothing back."""
    for keeps_expired in (True, False):
        fence = Fence(dynamodb, tables, keeps_expired=keeps_expired)
        fence.table.write_one(_change(modify, 5))
        assert fence.value == ("modify 5" if keeps_expired else None)
        fence.table.write_one(_change(modify, 4))
        assert fence.value == ("modify 5" if keeps_expired else None)


def test_an_update_before_one_that_is_refused_is_kept(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """With ttlDeletes=ignore the later one is set aside by itself, and TTL may delete the item then."""
    fence = Fence(dynamodb, tables, keeps_expired=True)
    tables.put(fence.source, _item("newer") | {FENCE: {"S": "of another task"}})
    assert fence.table.write_one(_change(modify, 5))
    assert fence.value == "modify 5"


def test_an_update_of_what_left_the_filter_is_not_kept(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """The source has the item, so TTL has not deleted it."""
    fence = Fence(dynamodb, tables, keeps_expired=True)
    fence.put_source("aside")
    fence.table.write_one(_change(modify, 5))
    assert fence.value is None


def test_what_a_fence_cannot_see(fence: Fence) -> None:
    """An old INSERT after the REMOVE of its key brings the item back: documented, and here so that it stays true."""
    for change in (_change(insert, 1), _change(remove, 2), _change(insert, 1)):
        fence.table.write_one(change)
    assert fence.value == "insert 1"


def test_the_sources_own_attribute_of_that_name(fence: Fence) -> None:
    """It is not written over in silence."""
    taken = decode(insert(1, _item("x") | {FENCE: {"S": "of another task"}}).data)
    with pytest.raises(RefusedError, match=f"attribute {FENCE} of its own"):
        fence.table.write_one(taken)


def test_numbers_of_forty_digits(fence: Fence) -> None:
    """More than a DynamoDB number holds exactly."""
    low, high = (structs.replace(_change(insert, 1), sequence_number="9" * 39 + last) for last in "89")
    assert fence.table.write_one(high)
    assert not fence.table.write_one(low)


def test_a_batch_of_a_child(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """An item inserted and modified in one batch is new at the destination: nothing is asked of the source."""
    table = tables.create()
    daemon = start(table, writeMode="fenced", sourceEndpoint=proxy.endpoint)
    daemon.apply(insert(1, _item("1")), modify(2, _item("2")), insert(3, item("other")), remove(4, item("other")))
    (found,) = tables.items(table)
    assert (found["value"]["S"], sum(proxy.received.values())) == ("2", 2)
