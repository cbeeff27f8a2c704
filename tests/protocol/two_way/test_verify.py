"""``verify`` between a hub and a spoke: it passes over the markers, and says what they say of what differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.verify import command
from processor.commands.verify.options import VerifyOptions
from processor.dynamodb.keys import identity_of
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import new_stamp
from tests.conftest import REGION, Tables
from tests.fakes.machine.as_process import as_process
from tests.fakes.task.two_way import two_way

MARKERS = Markers("_replication")


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    with as_process():
        yield


class Pair:
    """A hub and a spoke."""

    def __init__(self, dynamodb: DynamoDBLocal, tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
        self._tables = tables
        self._capsys = capsys
        self.hub, self.spoke = tables.create(), tables.create()
        self._settings = two_way(
            sourceRegion=REGION,
            sourceTable=self.hub,
            sourceEndpoint=dynamodb.endpoint,
            destinationRegion=REGION,
            destinationTable=self.spoke,
            destinationEndpoint=dynamodb.endpoint,
        )

    def put(self, key: str, hub: str | None, spoke: str | None, *, marker_of: str | None = None) -> None:
        """An item at each side; the spoke's with the marker of what the replicator wrote, if it did."""
        if hub is not None:
            self._tables.put(self.hub, _item(key, hub))
        if spoke is None:
            return
        item = _item(key, spoke)
        if marker_of is not None:
            written = msgspec.Raw(msgspec.json.encode(_item(key, marker_of)))
            identity = identity_of(msgspec.Raw(msgspec.json.encode({"id": {"S": key}})))
            marked = MARKERS.put(written, identity, sequence_number=5, stamp=new_stamp())
            item["_replication"] = msgspec.json.decode(marked)["_replication"]
        self._tables.put(self.spoke, item)

    def verify(self, **options: Any) -> tuple[int, dict[str, Any]]:
        """Exit status and report."""
        status = command.run(self._settings, VerifyOptions(as_json=True, recheck=1, **options), pause=lambda _: 0.0)
        return status, json.loads(self._capsys.readouterr().out)

    def shown(self) -> str:
        """The report for people."""
        command.run(self._settings, VerifyOptions(recheck=0), pause=lambda _: 0.0)
        return self._capsys.readouterr().out

    def values(self, table: str) -> dict[str, str]:
        """The values of all items, by key."""
        return {item["id"]["S"]: item["value"]["S"] for item in self._tables.items(table)}

    def numbers(self) -> dict[str, int | None]:
        """The sequence numbers of the spoke's markers."""
        found = {}
        for item in self._tables.items(self.spoke):
            identity = identity_of(msgspec.Raw(msgspec.json.encode({"id": item["id"]})))
            reading = MARKERS.read(msgspec.Raw(msgspec.json.encode(item)), identity)
            assert reading is not None
            found[item["id"]["S"]] = reading.marker.sequence_number if reading.marker else None
        return found


def _item(key: str, value: str) -> dict[str, Any]:
    return {"id": {"S": key}, "value": {"S": value}}


@pytest.fixture
def pair(dynamodb: DynamoDBLocal, tables: Tables, capsys: pytest.CaptureFixture[str]) -> Pair:
    """Fresh tables."""
    return Pair(dynamodb, tables, capsys)


def test_a_marker_is_no_difference(pair: Pair) -> None:
    """Whether an item has one or not."""
    pair.put("marked", "a", "a", marker_of="a")
    pair.put("plain", "a", "a")
    status, report = pair.verify()
    assert (status, report["equal"]) == (0, 2)


def test_what_the_marker_says_of_a_difference(pair: Pair) -> None:
    """Who has written the spoke's item, and so on which side the newer one is."""
    pair.put("behind", "new", "old", marker_of="old")
    pair.put("updated", "old", "new", marker_of="old")
    pair.put("put", "old", "new")
    pair.put("deleted at the hub", None, "old", marker_of="old")
    pair.put("inserted at the spoke", None, "new")
    pair.put("missing", "a", None)
    status, report = pair.verify()
    assert status == 1
    assert {each["key"]["id"]["S"]: (each["outcome"], each.get("marker")) for each in report["keys"]} == {
        "behind": ("different", "intact"),
        "updated": ("different", "changed"),
        "put": ("different", "none"),
        "deleted at the hub": ("extra", "intact"),
        "inserted at the spoke": ("extra", "none"),
        "missing": ("missing", None),
    }
    shown = pair.shown()
    assert '"updated"}}: changed by an application since' in shown
    assert '"behind"}}: as replication wrote it' in shown


def test_a_repair_writes_markers(pair: Pair) -> None:
    """With the number that stands there, so that each change of the hub from it on is applied."""
    pair.put("behind", "new", "old", marker_of="old")
    pair.put("put", "old", "new")
    pair.put("missing", "a", None)
    pair.put("extra", None, "new")
    status, report = pair.verify(repair=True, delete_extra=True)
    assert (status, report["repaired"]) == (0, 4)
    assert pair.values(pair.hub) == pair.values(pair.spoke) == {"behind": "new", "put": "old", "missing": "a"}
    assert pair.numbers() == {"behind": 5, "put": 0, "missing": 0}
