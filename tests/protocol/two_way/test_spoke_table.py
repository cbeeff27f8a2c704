"""What copy, redrive and a repair write to the spoke, whoever writes to either table meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import msgspec
import pytest

from processor.aws.timeouts import WriteTimeouts
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.dynamodb.keys import identity_of
from processor.dynamodb.reader import ReadableTable
from processor.replication.change import Change
from processor.replication.reconcile import reconcile
from processor.replication.two_way.marker import Markers, Reading
from processor.replication.two_way.spoke_table import SpokeTable
from processor.replication.two_way.stamp import new_stamp
from tests.conftest import REGION, Tables

MARKER = "_replication"
MARKERS = Markers(MARKER)
KEY = msgspec.Raw(b'{"id":{"S":"k"}}')
IDENTITY = identity_of(KEY)


class _Watched:
    """Reads a table, and does something just after the first read."""

    def __init__(self, table: ReadableTable) -> None:
        self.name = table.name
        self.afterwards: Callable[[], None] | None = None
        self._table = table

    def get(self, key: msgspec.Raw) -> msgspec.Raw | None:
        found = self._table.get(key)
        afterwards, self.afterwards = self.afterwards, None
        if afterwards is not None:
            afterwards()
        return found


class Pair:
    """A hub and a spoke with one key, and the spoke as commands write it."""

    def __init__(self, dynamodb: DynamoDBLocal, tables: Tables) -> None:
        self._tables = tables
        self.hub, self.spoke = tables.create(), tables.create()
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=dynamodb.endpoint)
        self.hub_reader, self.spoke_reader = (
            _Watched(ReadableTable(name, region=REGION, connect=lambda: client)) for name in (self.hub, self.spoke)
        )
        self.table = SpokeTable(
            self.spoke,
            markers=MARKERS,
            hub=self.hub_reader,
            spoke=self.spoke_reader,
            region=REGION,
            endpoint=dynamodb.endpoint,
            connections=1,
            timeouts=WriteTimeouts(connect=3, read=10),
        )

    def put_hub(self, value: str | None) -> None:
        """An application's write; None deletes."""
        self._put(self.hub, value)

    def put_spoke(self, value: str | None) -> None:
        """The same at the spoke: without a marker."""
        self._put(self.spoke, value)

    def _put(self, table: str, value: str | None) -> None:
        if value is None:
            self._tables.call("DeleteItem", TableName=table, Key={"id": {"S": "k"}})
        else:
            self._tables.put(table, {"id": {"S": "k"}, "value": {"S": value}})

    def mirror(self, value: str, number: int) -> None:
        """The mirror's write of a record of the hub."""
        image = msgspec.Raw(msgspec.json.encode({"id": {"S": "k"}, "value": {"S": value}}))
        marked = MARKERS.put(image, IDENTITY, sequence_number=number, stamp=new_stamp())
        self._tables.put(self.spoke, msgspec.json.decode(marked))

    def update_spoke(self, value: str) -> None:
        """An application's update at the spoke: the marker stays."""
        self._tables.call(
            "UpdateItem",
            TableName=self.spoke,
            Key={"id": {"S": "k"}},
            UpdateExpression="SET #v = :v",
            ExpressionAttributeNames={"#v": "value"},
            ExpressionAttributeValues={":v": {"S": value}},
        )

    @property
    def value(self) -> str | None:
        """The spoke's."""
        (found,) = self._tables.items(self.spoke) or [None]
        return found and found["value"]["S"]

    @property
    def reading(self) -> Reading:
        """What the spoke's item says."""
        (found,) = self._tables.items(self.spoke)
        reading = MARKERS.read(msgspec.Raw(msgspec.json.encode(found)), IDENTITY)
        assert reading is not None
        return reading

    def reconcile(self) -> None:
        """As redrive and a repair do it."""
        reconcile(KEY, "0", source=self.hub_reader, table=self.table)

    def write(self, value: str) -> None:
        """As copy writes an item that it has scanned."""
        image: Any = msgspec.json.encode({"id": {"S": "k"}, "value": {"S": value}})
        self.table.write_one(
            Change(
                kind="put",
                identity=IDENTITY,
                key=KEY,
                image=msgspec.Raw(image),
                sequence_number="0",
                created_ms=0,
                event_name="RECONCILE",
            )
        )


@pytest.fixture
def pair(dynamodb: DynamoDBLocal, tables: Tables) -> Pair:
    """Fresh tables."""
    return Pair(dynamodb, tables)


def _number(reading: Reading) -> int:
    assert reading.marker is not None
    assert reading.is_intact
    return reading.marker.sequence_number


def test_an_item_that_the_spoke_lacks(pair: Pair) -> None:
    """It is put with a marker that any record of the hub is newer than."""
    pair.put_hub("a")
    pair.write("a")
    assert pair.value == "a"
    assert _number(pair.reading) == 0


@pytest.mark.parametrize("changes", [False, True], ids=["as it was", "updated by an application"])
def test_an_item_that_the_mirror_wrote_keeps_its_number(pair: Pair, changes: bool) -> None:  # noqa: FBT001  # pytest's
    """So each record after that one is still applied; and the marker is a new one, for the uplink to know it by."""
    pair.mirror("old", 7)
    if changes:
        pair.update_spoke("own")
    before = pair.reading.marker
    pair.put_hub("new")
    pair.write("scanned long ago")
    assert pair.value == "new"
    assert _number(pair.reading) == 7
    assert before is not None
    assert pair.reading.marker is not None
    assert pair.reading.marker.order > before.order


def test_an_item_without_a_marker(pair: Pair) -> None:
    """An application's put, or one from before the task was two-way."""
    pair.put_spoke("own")
    pair.put_hub("hub's")
    pair.reconcile()
    assert pair.value == "hub's"
    assert _number(pair.reading) == 0


def test_what_the_hub_has_no_more(pair: Pair) -> None:
    """It is marked, and deleted; what is not there is left alone."""
    pair.mirror("old", 7)
    pair.reconcile()
    assert pair.value is None
    pair.reconcile()
    assert pair.value is None


def test_the_mirror_writes_in_between(pair: Pair) -> None:
    """Its newer item stays: all is read again, and the hub has just that."""
    pair.mirror("old", 7)

    def meanwhile() -> None:
        pair.put_hub("new")
        pair.mirror("new", 9)

    pair.put_hub("old")
    pair.spoke_reader.afterwards = meanwhile
    pair.write("old")
    assert pair.value == "new"
    assert _number(pair.reading) == 9


def test_an_application_puts_in_between(pair: Pair) -> None:
    """Its item is read before it is written over, so its record comes first, for the uplink to judge."""
    pair.mirror("old", 7)
    pair.put_hub("hub's")
    pair.spoke_reader.afterwards = lambda: pair.put_spoke("own")
    pair.write("hub's")
    assert pair.value == "hub's"
    assert _number(pair.reading) == 0


def test_the_hub_deletes_between_read_and_put(pair: Pair) -> None:
    """The mirror has found nothing to delete, so who reconciles reads the hub again, and deletes."""
    pair.put_hub("a")
    pair.hub_reader.afterwards = lambda: pair.put_hub(None)
    pair.reconcile()
    assert pair.value is None


def test_an_application_writes_what_is_marked_for_deletion(pair: Pair) -> None:
    """A put drops the mark, so all is read again; the end is the hub's."""
    pair.mirror("old", 7)
    pair.hub_reader.afterwards = lambda: pair.put_spoke("own")
    pair.reconcile()
    assert pair.value is None
