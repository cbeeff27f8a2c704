"""Calls without a client: what botocore's client saw to is seen to."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.aws.timeouts import WriteTimeouts
from processor.errors import LeaseLostError, RefusedError, UnavailableError
from processor.flow.rate_limiter import EstimatedUnits
from processor.replication.writer import WritableTable
from tests.fakes.dynamodb.changes import put
from tests.fakes.network.http_server import HttpServer
from tests.fakes.network.listener import Listener
from tests.fakes.network.tls import CertificateAuthority, Tunnels
from tests.fakes.patience import PATIENCE_SECONDS

BATCH = [put("a"), put("b")]
# All of a batch is written.
DONE = b'{"UnprocessedItems":{}}'
NAMES = {"Host", "User-Agent", "X-Amz-Target", "X-Amz-Date", "Content-Type", "Content-Length", "Accept-Encoding"}


def _table(endpoint: str, **more: object) -> WritableTable:
    timeouts = WriteTimeouts(connect=3, read=10)
    return WritableTable("copy", region="us-east-1", endpoint=endpoint, connections=2, **{"timeouts": timeouts, **more})  # type: ignore[arg-type]


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """The destination."""
    with HttpServer() as made:
        yield made


def test_calls_on_an_open_connection_are_as_the_first(server: HttpServer) -> None:
    """The request that opens a connection and those that follow on it differ in nothing but the time."""
    table = _table(server.endpoint)
    for _ in range(3):
        assert table.write_batch(BATCH) == []
    first, *others = server.requests
    assert len({request.port for request in server.requests}) == 1
    for request in others:
        assert (request.operation, request.path, request.body) == (first.operation, first.path, first.body)
        assert request.headers.keys() == first.headers.keys() == NAMES | {"Authorization"}
        for name in NAMES - {"X-Amz-Date"}:
            assert request.headers[name] == first.headers[name]
    assert "dynamodb-replicator" in first.headers["User-Agent"]
    assert first.headers["Accept-Encoding"] == "identity"


def test_a_closed_connection_is_opened_anew(server: HttpServer) -> None:
    """A connection that the server has closed meanwhile is no error."""
    server.headers = {"Connection": "close"}
    table = _table(server.endpoint)
    for _ in range(3):
        table.write_batch(BATCH)
    server.headers = {}
    for _ in range(2):
        table.write_batch(BATCH)
    *others, last = [request.port for request in server.requests]
    assert (len(set(others)), others[-1]) == (4, last)


@pytest.mark.parametrize("calls_before", [0, 1], ids=["first", "later"])
@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"x-amz-crc32": str(crc32(b"{ }"))}, DONE),
        ({"x-amz-crc32": "what"}, DONE),
        ({"Content-Encoding": "gzip"}, gzip.compress(DONE, mtime=0)),
        ({"Content-Type": "text/html"}, DONE),
        ({}, b'{"UnprocessedItems":{"copy":[5]}}'),
        ({}, b'{"UnprocessedItems":{"copy":[{"PutRequest":{}}]}}'),
        ({}, b'{"UnprocessedItems":[]}'),
        ({}, b'{"ConsumedCapacity":5}'),
        ({}, b"{}"),
        ({}, b'{"UnprocessedItems":null}'),
        ({}, b"[]"),
        ({}, b""),
        ({"Content-Length": "99", "Connection": "close"}, DONE),
        ({"Content-Length": "x", "Connection": "close"}, DONE),
    ],
)
def test_an_answer_that_is_none_is_no_success(
    server: HttpServer, headers: dict[str, str], answer: bytes, calls_before: int
) -> None:
    """A body that was changed, cut or packed, or has other members than the API's, is no confirmed write."""
    table = _table(server.endpoint)
    for _ in range(calls_before):
        table.write_batch(BATCH)
    server.page, server.headers = answer, {"Content-Type": "application/x-amz-json-1.0"} | headers
    with pytest.raises(UnavailableError):
        table.write_batch(BATCH)
    server.page, server.headers = None, {"x-amz-crc32": str(crc32(json.dumps({"UnprocessedItems": {}}).encode()))}
    assert table.write_batch(BATCH) == []


@pytest.mark.parametrize("calls_before", [0, 1], ids=["first", "later"])
@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ((400, {"__type": "com.amazon.coral.validate#ValidationException"}), RefusedError, "ValidationException"),
        ((400, {"__type": "com.x#SlowDown:http://y/", "message": "no"}), UnavailableError, "SlowDown"),
        ((413, {}), RefusedError, "413"),
        ((500, {}), UnavailableError, "500"),
        ((301, {}), UnavailableError, "301"),
        ((400, {"__type": 5}), UnavailableError, "NotDynamoDB"),
    ],
)
def test_an_error_is_the_one_it_was_with_a_client(
    server: HttpServer, answer: tuple[int, dict[str, object]], kind: type[Exception], code: str, calls_before: int
) -> None:
    """Codes, words and statuses mean what they mean for any other call, on a new connection and on an open one."""
    table = _table(server.endpoint)
    for _ in range(calls_before):
        table.write_batch(BATCH)
    server.answers.append(answer)
    with pytest.raises(kind, match=r"^BatchWriteItem on table copy in us-east-1: ") as caught:
        table.write_batch(BATCH)
    assert caught.value.code == code  # type: ignore[attr-defined]


def test_units_are_told_of_every_call(server: HttpServer) -> None:
    """What DynamoDB says that a call took is passed on; where it says nothing, an estimate."""
    told: list[float] = []
    table = _table(server.endpoint, consumed=told.append)
    server.answers += [
        (200, {"UnprocessedItems": {}, "ConsumedCapacity": [{"TableName": "copy", "CapacityUnits": 4.0}]}),
        (200, {"ConsumedCapacity": {"TableName": "copy", "CapacityUnits": 2}}),
        (200, {"UnprocessedItems": {}}),
    ]
    table.write_batch(BATCH)
    table.write_one(BATCH[0])
    table.write_batch(BATCH)
    assert told == [4.0, 2.0, 2.0]
    assert [type(units) for units in told] == [float, float, EstimatedUnits]
    assert all(json.loads(request.body)["ReturnConsumedCapacity"] == "TOTAL" for request in server.requests)


def test_nothing_is_sent_without_leave(server: HttpServer) -> None:
    """Where ``may_write`` raises, no byte of the request goes out, on a new connection or an open one."""
    leave = threading.Event()

    def may_write() -> None:
        if not leave.is_set():
            raise LeaseLostError

    table = _table(server.endpoint, may_write=may_write)
    for sent in (0, 1):
        with pytest.raises(LeaseLostError):
            table.write_batch(BATCH)
        assert len(server.requests) == sent
        leave.set()
        table.write_batch(BATCH)
        leave.clear()
    assert len({request.port for request in server.requests}) == 1


def test_an_answer_that_does_not_come_is_given_up() -> None:
    """The time to read holds on an open connection as on a new one."""
    with HttpServer() as server, socket.create_server(("127.0.0.1", 0)) as silent:
        table = _table(f"http://127.0.0.1:{silent.getsockname()[1]}", timeouts=WriteTimeouts(connect=30, read=0.2))
        with pytest.raises(UnavailableError) as first:
            table.write_batch(BATCH)
        released = threading.Event()
        # Enough for a busy machine to bring the answers that do come.
        table = _table(server.endpoint, timeouts=WriteTimeouts(connect=30, read=3))
        table.write_batch(BATCH)
        server.before_answer = lambda: released.wait(PATIENCE_SECONDS)
        with pytest.raises(UnavailableError) as later:
            table.write_batch(BATCH)
        server.before_answer = lambda: None
        table.write_batch(BATCH)
        released.set()
    ports = [request.port for request in server.requests]
    assert ports[0] == ports[1] != ports[2]  # what comes late on a connection must not pass for the next answer
    assert first.value.code == later.value.code == "ReadTimeoutError"


def test_a_proxy_takes_every_call(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a proxy is set, it is given the whole URL and its own credentials, at each call."""
    monkeypatch.setenv("http_proxy", server.endpoint.replace("://", "://user:secret@"))
    table = _table("http://dynamodb.invalid:8000")
    for _ in range(2):
        table.write_batch(BATCH)
    assert [request.path for request in server.requests] == ["http://dynamodb.invalid:8000/"] * 2
    assert [request.headers["Host"] for request in server.requests] == ["dynamodb.invalid:8000"] * 2
    assert len({request.headers["Proxy-Authorization"] for request in server.requests}) == 1


@pytest.fixture
def tunnels(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str | None]]]:
    """What a proxy was asked for."""
    asked: list[tuple[str, str | None]] = []
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Listener(type("Handler", (Tunnels,), {"asked": asked})) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:secret@127.0.0.1:{proxy.port}")
        yield asked


def test_tls_is_as_the_sdk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tunnels: list[tuple[str, str | None]]
) -> None:
    """Over TLS, through a proxy's tunnel, to a server whose authority AWS_CA_BUNDLE names; to no other."""
    authority = CertificateAuthority(tmp_path)
    with HttpServer(tls=authority.server_context()) as server:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
        table = _table(server.endpoint)
        for _ in range(3):
            assert table.write_batch(BATCH) == []
        assert len({request.port for request in server.requests}) == 1
        assert {request.path for request in server.requests} == {"/"}
        assert [asked for asked, credentials in tunnels if credentials] == [server.endpoint.removeprefix("https://")]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        table = _table(server.endpoint)
        for _ in range(2):
            assert table.write_batch(BATCH) == []
        assert (len(server.requests), len(tunnels)) == (5, 1)
        monkeypatch.delenv("AWS_CA_BUNDLE")
        with pytest.raises(UnavailableError) as caught:
            _table(server.endpoint).write_batch(BATCH)
    assert caught.value.code == "SSLError"
    assert len(server.requests) == 5


def test_authorities_that_are_added_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that AWS_CA_BUNDLE names is looked at for each connection, though it is loaded only where it changed."""
    (tmp_path / "another").mkdir()
    authority, another = CertificateAuthority(tmp_path), CertificateAuthority(tmp_path / "another")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(another.bundle))
    with HttpServer(tls=authority.server_context(), headers={"Connection": "close"}) as server:
        table = _table(server.endpoint)
        for _ in range(2):
            with pytest.raises(UnavailableError) as caught:
                table.write_batch(BATCH)
            assert caught.value.code == "SSLError"
        another.bundle.write_bytes(another.bundle.read_bytes() + authority.bundle.read_bytes())
        for _ in range(2):
            assert table.write_batch(BATCH) == []
    assert len({request.port for request in server.requests}) == 2
