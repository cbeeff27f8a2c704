"""``run.sh unmark``: markers go, everything else stays, and it goes on where it was interrupted."""

from __future__ import annotations

import threading
from typing import Any

import boto3
import msgspec
import pytest

from processor.aws.timeouts import WriteTimeouts
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.unmark import run as module
from processor.commands.unmark.marked_table import MarkedTable
from processor.commands.unmark.run import Unmark, asks_for
from processor.dynamodb.keys import identity_of
from processor.dynamodb.scanner import ScannableTable
from processor.errors import StoppedError
from processor.flow import retry_policy
from processor.flow.outage import Outage
from processor.flow.rate_limiter import Capacity
from processor.flow.retry import Retry
from processor.replication.two_way.marker import Markers
from processor.replication.two_way.stamp import new_stamp
from processor.reporting.logs import Log
from tests.conftest import REGION, Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy

MARKERS = Markers("_replication")


def _marked(key: str, **attributes: Any) -> dict[str, Any]:
    raw_key = msgspec.Raw(msgspec.json.encode({"id": {"S": key}}))
    item = msgspec.Raw(msgspec.json.encode({"id": {"S": key}, **attributes}))
    made: dict[str, Any] = msgspec.json.decode(
        MARKERS.put(item, identity_of(raw_key), sequence_number=5, stamp=new_stamp())
    )
    return made


class Table:
    """A table, and runs on it."""

    def __init__(self, dynamodb: DynamoDBLocal, tables: Tables) -> None:
        self._tables = tables
        self.endpoint = dynamodb.endpoint
        self.name = tables.create()
        self.stop = threading.Event()

    def put(self, item: dict[str, Any]) -> None:
        """Write an item."""
        self._tables.put(self.name, item)

    @property
    def items(self) -> dict[str, dict[str, Any]]:
        """All, by their keys."""
        return {item["id"]["S"]: item for item in self._tables.items(self.name)}

    def unmark(self, *, dry: bool = False, limit: int | None = None, endpoint: str = "") -> Unmark:
        """A run, whose writes go to ``endpoint`` if one is given."""
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=self.endpoint)
        writing = Capacity(limit, stop=self.stop)
        table = MarkedTable(
            self.name,
            region=REGION,
            endpoint=endpoint or self.endpoint,
            connections=2,
            timeouts=WriteTimeouts(connect=3, read=10),
            consumed=writing.consume,
        )
        return Unmark(
            ScannableTable(self.name, region=REGION, connect=lambda: client, scan_filter=asks_for("_replication")),
            None if dry else table,
            markers=MARKERS,
            key_names=["id"],
            writing=writing,
            retry=Retry(retry_policy.COMMAND, self.stop, Outage(Log(), "unmark_delayed", note="")),
            stop=self.stop,
        )


@pytest.fixture
def table(dynamodb: DynamoDBLocal, tables: Tables) -> Table:
    """Three marked items, one without a marker, and one with an attribute of that name that is none."""
    made = Table(dynamodb, tables)
    for number in range(3):
        made.put(_marked(f"m{number}", n={"N": "1.50"}, s={"SS": ["b", "a"]}))
    made.put({"id": {"S": "plain"}, "n": {"N": "2"}})
    made.put({"id": {"S": "foreign"}, "_replication": {"S": "mine"}})
    return made


def test_markers_go_and_all_else_stays(table: Table) -> None:
    """Also an attribute of that name that is no marker. A second run finds nothing to do."""
    run = table.unmark()
    run.run()
    assert (run.report.complete, run.report.read, run.report.unmarked, run.report.foreign) == (True, 5, 3, 1)
    items = table.items
    assert all("_replication" not in items[f"m{number}"] for number in range(3))
    assert items["m0"]["n"] == {"N": "1.5"}
    assert sorted(items["m0"]["s"]["SS"]) == ["a", "b"]
    assert items["foreign"]["_replication"] == {"S": "mine"}
    again = table.unmark()
    again.run()
    assert (again.report.unmarked, again.report.changed) == (0, 0)


def test_a_dry_run_changes_nothing(table: Table) -> None:
    """It counts."""
    before = table.items
    run = table.unmark(dry=True)
    run.run()
    assert run.report.unmarked == 3
    assert table.items == before


def test_what_others_write_meanwhile_is_left_alone(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item with another marker than was read stays, and is counted: one more run finds it."""
    real = MarkedTable.unmark

    def unmark(self: MarkedTable, change: Any, attribute: str, stored: Any) -> bool:
        if b"m1" in bytes(change.key):
            table.put(_marked("m1", n={"N": "9"}))
        return real(self, change, attribute, stored)

    monkeypatch.setattr(MarkedTable, "unmark", unmark)
    run = table.unmark()
    run.run()
    assert (run.report.unmarked, run.report.changed) == (2, 1)
    monkeypatch.undo()
    again = table.unmark()
    again.run()
    assert (again.report.unmarked, again.report.changed) == (1, 0)
    assert table.items["m1"]["n"] == {"N": "9"}


def test_a_removal_whose_answer_was_lost(table: Table) -> None:
    """It is tried again, finds no marker, and is no change of others."""
    with FaultProxy(table.endpoint) as proxy:
        lost = proxy.inject(faults.drop(after=True), "UpdateItem", times=1)
        run = table.unmark(endpoint=proxy.endpoint)
        run.run()
    assert lost.met == 1
    assert (run.report.unmarked, run.report.changed) == (3, 0)
    assert [key for key, item in table.items.items() if "_replication" in item] == ["foreign"]


def test_an_interrupted_run_is_gone_on_with(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept of how far it was."""
    monkeypatch.setattr(module, "THREADS", 1)
    real = MarkedTable.unmark

    def unmark(self: MarkedTable, change: Any, attribute: str, stored: Any) -> bool:
        table.stop.set()
        return real(self, change, attribute, stored)

    monkeypatch.setattr(MarkedTable, "unmark", unmark)
    run = table.unmark()
    with pytest.raises(StoppedError):
        run.run()
    assert not run.report.complete
    assert run.report.unmarked >= 1
    monkeypatch.undo()
    table.stop.clear()
    table.unmark().run()
    assert [key for key, item in table.items.items() if "_replication" in item] == ["foreign"]
