"""Scans and reads of many keys, by DynamoDB Local."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from processor.aws.clients import Clients
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.dynamodb.reader import ReadableTable
from processor.dynamodb.scanner import ScannableTable, Segment
from processor.errors import RefusedError, UnavailableError
from tests.conftest import REGION, Tables
from tests.fakes.network.http_server import HttpServer
from tests.fakes.task.tasks import task


@pytest.fixture
def filled(tables: Tables) -> str:
    """A table of 250 items."""
    name = tables.create()
    for first in range(0, 250, 25):
        items = [{"id": {"S": f"{number:03}"}, "n": {"N": "1" * 38}} for number in range(first, first + 25)]
        tables.call("BatchWriteItem", RequestItems={name: [{"PutRequest": {"Item": item}} for item in items]})
    return name


@pytest.fixture
def clients(dynamodb: DynamoDBLocal) -> Clients:
    """Those of a task whose source is there."""
    return Clients(task(sourceEndpoint=dynamodb.endpoint))


def _ids(items: list[msgspec.Raw]) -> list[str]:
    return [msgspec.json.decode(item)["id"]["S"] for item in items]


def test_segments_and_pages_make_the_table(filled: str, clients: Clients) -> None:
    """Each item comes once, over three segments of small pages, read side by side; units are told."""
    table = ScannableTable(filled, region=REGION, connect=clients.source)

    def read(number: int) -> list[msgspec.Raw]:
        found, start = [], None
        while True:
            page = table.page(Segment(number, 3), start, limit=10)
            assert len(page.items) <= 10
            assert page.units > 0
            found += page.items
            if (start := page.last_key) is None:
                return found

    with ThreadPoolExecutor(3) as pool:
        items = [item for found in pool.map(read, range(3)) for item in found]
    assert [f"{number:03}" for number in range(250)] == sorted(_ids(items))
    assert msgspec.json.decode(items[0])["n"] == {"N": "1" * 38}


def test_many_keys(filled: str, clients: Clients) -> None:
    """More keys than one call takes; those that have no item are left out."""
    units: list[float] = []
    table = ReadableTable(filled, region=REGION, connect=clients.source, consumed=units.append)
    keys = [msgspec.Raw(b'{"id":{"S":"%03d"}}' % number) for number in range(100, 300)]
    assert [f"{number:03}" for number in range(100, 250)] == sorted(_ids(table.get_many(keys)))
    assert len(units) == 2
    assert sum(units) > 0


def test_the_client_keeps_its_other_users(filled: str, clients: Clients) -> None:
    """Calls that others make with the same client are parsed as ever, even in a thread that reads raw bytes."""
    client = clients.source()
    table = ScannableTable(filled, region="us-east-1", connect=clients.source)
    seen = threading.Event()
    client.meta.events.register("before-send.dynamodb.Scan", lambda **_: seen.set())
    assert len(table.page(Segment(0, 1)).items) == 250
    assert len(client.scan(TableName=filled)["Items"]) == 250
    assert seen.is_set()


def test_a_start_that_is_no_key(filled: str, clients: Clients) -> None:
    """It is refused, as DynamoDB does."""
    table = ScannableTable(filled, region=REGION, connect=clients.source)
    with pytest.raises(RefusedError, match="Scan on table"):
        table.page(Segment(0, 1), msgspec.Raw(b'{"other":{"S":"x"}}'))


@pytest.mark.parametrize("page", [b"<html>", b"{}", b'{"Items":[{"id":{"S":"a"}}],"Count":2,"ScannedCount":2}'])
def test_a_page_is_no_answer(page: bytes) -> None:
    """A proxy's page must not pass for a table without items, nor what is left of an answer for all of it."""
    with HttpServer(page=page) as server:
        clients = Clients(task(sourceEndpoint=server.endpoint))
        table = ScannableTable("orders", region=REGION, connect=clients.source)
        with pytest.raises(UnavailableError, match="none of DynamoDB's"):
            table.page(Segment(0, 1))


def test_keys_that_are_left_undone() -> None:
    """They are asked for again; an answer that does none of them is an error, so that the caller may wait."""
    with HttpServer() as server:
        undone = {"orders": {"Keys": [{"id": {"S": "b"}}], "ConsistentRead": True}}
        server.answers += [
            (200, {"Responses": {"orders": [{"id": {"S": "a"}}]}, "UnprocessedKeys": undone}),
            (200, {"Responses": {}, "UnprocessedKeys": undone}),
        ]
        clients = Clients(task(sourceEndpoint=server.endpoint))
        table = ReadableTable("orders", region=REGION, connect=clients.source)
        with pytest.raises(UnavailableError, match="none of 1 keys was processed"):
            table.get_many([msgspec.Raw(b'{"id":{"S":"a"}}'), msgspec.Raw(b'{"id":{"S":"b"}}')])
        assert len(server.requests) == 2
