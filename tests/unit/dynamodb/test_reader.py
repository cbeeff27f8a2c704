"""Items as DynamoDB sent them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ConnectionError as BotocoreConnectionError

from processor.aws.clients import Clients
from processor.dynamodb.reader import ReadableTable
from processor.errors import CredentialsError, RefusedError, UnavailableError
from tests.conftest import Tables
from tests.fakes.network.http_server import HttpServer
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.task.tasks import task

KEY = msgspec.Raw(b'{"id":{"S":"\xc3\xa9"}}')
ITEM = {"id": {"S": "é"}, "n": {"N": "1" * 38}, "b": {"B": "/w=="}, "l": {"L": [{"SS": ["b", "a"]}, {"NULL": True}]}}


def _table(endpoint: str, name: str = "orders") -> ReadableTable:
    clients = Clients(task(sourceEndpoint=endpoint, sourceTable=name))
    return ReadableTable(name, region="eu-west-1", connect=clients.source)


def test_bytes_in_and_bytes_out() -> None:
    """The key goes out and the item comes back byte for byte; the read is a consistent one."""
    with HttpServer() as server:
        server.answers.append((200, {"Item": ITEM}))
        found = _table(server.endpoint).get(KEY)
        (request,) = server.requests
    assert json.dumps(ITEM).encode() == bytes(found or b"")
    assert request.operation == "GetItem"
    assert b'{"TableName":"orders","Key":' + bytes(KEY) + b',"ConsistentRead":true}' == request.body


def test_no_item() -> None:
    """An answer without an item is none."""
    with HttpServer() as server:
        assert _table(server.endpoint).get(KEY) is None


@pytest.mark.parametrize("page", [b"<html>", b"{}"])
def test_a_page_is_not_no_item(page: bytes) -> None:
    """A proxy's page must not have an item deleted at the destination."""
    with HttpServer(page=page) as server, pytest.raises(UnavailableError, match="none of DynamoDB's"):
        _table(server.endpoint).get(KEY)


@pytest.mark.parametrize("item", [None, 5, [], "junk"])
def test_what_is_no_item_is_no_answer(item: object) -> None:
    """It is asked for again: one such answer is no reason to end a command, nor a bug."""
    with HttpServer() as server:
        server.answers.append((200, {"Item": item}))
        with pytest.raises(UnavailableError, match="none of DynamoDB's"):
            _table(server.endpoint).get(KEY)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ValidationException", RefusedError),
        ("AccessDeniedException", CredentialsError),
        ("ResourceNotFoundException", UnavailableError),
    ],
)
def test_errors_are_ours(code: str, error: type[Exception]) -> None:
    """Each says the call, the table and AWS's own words."""
    with HttpServer() as server:
        server.answers.append((400, {"__type": code, "message": "no"}))
        with pytest.raises(error, match=f"GetItem on table orders in eu-west-1: {code}"):
            _table(server.endpoint).get(KEY)


def test_nobody_there() -> None:
    """No answer at all is unavailability."""
    with HttpServer() as server:
        endpoint = server.endpoint
    with pytest.raises(UnavailableError, match="GetItem on table orders") as caught:
        _table(endpoint).get(KEY)
    assert isinstance(caught.value.__cause__, BotocoreConnectionError)


def test_other_users_of_the_client_are_left_alone() -> None:
    """Two tables behind one client each read their own, and a plain GetItem of that client stays plain."""
    with HttpServer() as server:
        clients = Clients(task(sourceEndpoint=server.endpoint))
        tables = [ReadableTable(name, region="eu-west-1", connect=clients.source) for name in ("one-table", "another")]
        for table in tables:
            table.get(KEY)
        clients.source().get_item(TableName="tasks", Key={"name": {"S": "task"}})
        bodies = [json.loads(request.body) for request in server.requests]
    assert [body["TableName"] for body in bodies] == ["one-table", "another", "tasks"]
    assert [json.loads(bytes(KEY)), {"name": {"S": "task"}}] == [body["Key"] for body in bodies[1:]]


def test_threads_do_not_mix_their_items(tables: Tables) -> None:
    """Several threads share one table on a real server, each with the item that it asked for."""
    name = tables.create()
    for number in range(20):
        tables.put(name, {"id": {"S": str(number)}, "value": {"N": str(number)}})
    table = _table(f"http://127.0.0.1:{tables._port}", name)
    found: dict[str, Any] = {}

    def read(number: str) -> Callable[[], None]:
        key = msgspec.Raw(msgspec.json.encode({"id": {"S": number}}))
        return lambda: found.update({number: json.loads(bytes(table.get(key) or b"null"))})

    threads = [threading.Thread(target=read(str(number)), daemon=True) for number in range(21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    expected = {str(number): {"id": {"S": str(number)}, "value": {"N": str(number)}} for number in range(20)}
    assert {**expected, "20": None} == found
