"""The recorded table answers as a table would."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from processor.aws.clients import Clients
from processor.dynamodb.keys import key_reader
from processor.dynamodb.reader import ReadableTable
from processor.dynamodb.scanner import ScannableTable, Segment
from processor.settings.settings import Settings
from processor.startup import preflight
from tests.conftest import REGION
from tests.fakes.dynamodb.attribute_values import size_bytes
from tests.fakes.dynamodb.recorded_table import RecordedTable
from tests.fakes.task.tasks import task

ITEMS = 8000


@pytest.fixture(scope="module")
def recorded() -> Iterator[RecordedTable]:
    """One server for all tests here."""
    with RecordedTable(items=ITEMS) as server:
        yield server


@pytest.fixture
def clients(recorded: RecordedTable) -> Clients:
    """Those of a task between a recorded table and an empty one."""
    return Clients(_task(recorded))


def _task(recorded: RecordedTable) -> Settings:
    endpoints = {"sourceEndpoint": recorded.endpoint, "destinationEndpoint": recorded.endpoint}
    return task(sourceTable="recorded-1", destinationTable="sink", **endpoints)


@pytest.mark.parametrize("segments", [1, 2, 5])
def test_a_scan_gives_each_item_once(segments: int, recorded: RecordedTable, clients: Clients) -> None:
    """However many segments there are, with pages of no more than a megabyte."""
    table = ScannableTable("recorded-1", region=REGION, connect=clients.source)
    before = recorded.counts().get("items", 0)
    read_key, keys = key_reader(["id"]), []
    for number in range(segments):
        start = None
        while True:
            page = table.page(Segment(number, segments), start)
            sizes = [size_bytes(msgspec.json.decode(item)) for item in page.items]
            assert set(sizes) <= {300}
            assert sum(sizes) <= 1024 * 1024
            keys += [bytes(read_key(item)) for item in page.items]
            if (start := page.last_key) is None:
                break
    assert len(set(keys)) == len(keys) == ITEMS
    assert recorded.counts()["items"] - before == ITEMS


def test_reads_by_key_find_what_the_scan_gave(clients: Clients) -> None:
    """Each item by itself and many at once; keys past the end have none."""
    scanned = ScannableTable("recorded-1", region=REGION, connect=clients.source).page(Segment(1, 2)).items[-150:]
    table = ReadableTable("recorded-1", region=REGION, connect=clients.source)
    keys = [key_reader(["id"])(item) for item in scanned]
    assert sorted(map(bytes, scanned)) == sorted(map(bytes, table.get_many(keys)))
    found = table.get(keys[0])
    assert found is not None
    assert bytes(scanned[0]) == bytes(found)
    assert table.get(msgspec.Raw(b'{"id":{"S":"000002-3000"}}')) is None


def test_other_tables_are_empty(recorded: RecordedTable, clients: Clients) -> None:
    """A pair of a recorded table and another is ready, and nothing is in the other."""
    assert preflight.tables(_task(recorded), clients).findings == []
    assert ScannableTable("sink", region=REGION, connect=clients.destination).page(Segment(0, 1)).items == []
