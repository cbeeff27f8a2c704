"""A call ends at its deadline, however little and however often something arrives."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from processor.aws.clients import Clients, write_client
from processor.aws.connections import bound_session
from processor.aws.deadlines import current
from processor.aws.direct_calls import Calls, direct_calls
from processor.aws.errors import aws_errors
from processor.aws.timeouts import WriteTimeouts
from processor.errors import UnavailableError
from tests.fakes.network.socket_server import Serve, SocketServer, received
from tests.fakes.patience import until
from tests.fakes.task.tasks import task

# A call may take 3 x 0.5 + 0.5 s; whoever drips does so for a minute.
TIMEOUTS = WriteTimeouts(connect=0.5, read=0.5)
# Where a call before it must be answered, which takes a busy machine its time: 10 s.
LONGER = WriteTimeouts(connect=2, read=4)
DRIP_SECONDS, DRIPS = 0.1, 600
# Far from both, for a machine that is busy.
SOON_SECONDS = 30.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"


def drip(connection: socket.socket, content: bytes) -> None:
    """Send it byte by byte, then blanks for the rest of a minute."""
    for number in range(DRIPS):
        connection.sendall(content[number : number + 1] or b" ")
        time.sleep(DRIP_SECONDS)


def request_of(connection: socket.socket) -> bytes:
    """A request's head, and what came of its body."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += received(connection)
    return found


def after_request(head: bytes) -> Serve:
    """Read a request, then drip an answer with this head."""

    def serve(connection: socket.socket) -> None:
        request_of(connection)
        drip(connection, head)

    return serve


def second_request(connection: socket.socket) -> None:
    """Answer the first request of a connection at once, and drip to the second."""
    request_of(connection)
    connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
    after_request(HEAD + b"Content-Length: 500\r\n\r\n{")(connection)


SERVERS: dict[str, Serve] = {
    "the answer's head": after_request(HEAD),
    "its body": after_request(HEAD + b"Content-Length: 500\r\n\r\n{"),
    "chunks": after_request(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1F4\r\n{"),
    "a body that ends with the connection": after_request(HEAD + b"Connection: close\r\n\r\n{}"),
    "answers before the answer": after_request(b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
}


def calls_of(endpoint: str, timeouts: WriteTimeouts = TIMEOUTS) -> Calls:
    """As ``WritableTable`` makes them."""
    client = write_client("eu-west-1", endpoint, connections=2, timeouts=timeouts)
    return direct_calls(client, operation="PutItem", parameters={"TableName": "copy"})


def ends_soon(call: Callable[[], object]) -> None:
    """It fails as what may work later, long before whoever drips ends."""
    began = time.monotonic()
    with pytest.raises(UnavailableError), aws_errors("PutItem"):
        call()
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.parametrize("name", SERVERS)
def test_an_answer_that_drips_on_a_fresh_connection(name: str) -> None:
    """Each byte comes well within the timeout of a receive."""
    with SocketServer(SERVERS[name]) as server:
        ends_soon(lambda: calls_of(server.endpoint).call("PutItem", b"{}"))


def test_an_answer_that_drips_on_an_open_connection() -> None:
    """The second call of a connection is made past botocore."""
    with SocketServer(second_request) as server:
        calls = calls_of(server.endpoint, LONGER)
        assert calls.call("PutItem", b"{}") == b"{}"
        ends_soon(lambda: calls.call("PutItem", b"{}"))


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[SocketServer], None]]:
    """Have a server be everybody's proxy."""

    def made(server: SocketServer) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, server.endpoint)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "")

    return made


@pytest.mark.parametrize("serve", [second_request, SERVERS["its body"]])
def test_a_plain_proxy_that_drips(serve: Serve, proxied: Callable[[SocketServer], None]) -> None:
    """Every call behind it is botocore's own, on connections that are kept."""
    with SocketServer(serve) as server:
        proxied(server)
        calls = calls_of("http://dynamodb.example.com", LONGER)
        if serve is second_request:
            assert calls.call("PutItem", b"{}") == b"{}"
        ends_soon(lambda: calls.call("PutItem", b"{}"))


def test_a_tunnel_that_drips(proxied: Callable[[SocketServer], None]) -> None:
    """A proxy's answer to CONNECT is part of the call."""
    with SocketServer(after_request(b"HTTP/1.1 200 OK\r\nX-Slow: ")) as server:
        proxied(server)
        ends_soon(lambda: calls_of("https://dynamodb.example.com").call("PutItem", b"{}"))


def test_a_handshake_that_drips() -> None:
    """So is TLS: a record of 16 KB that comes byte by byte. Loading authorities takes a busy machine its time."""
    timeouts = WriteTimeouts(connect=5, read=1)
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        try:
            drip(connection, b"\x16\x03\x03\x3f\xff")
        finally:
            ended.set()

    with SocketServer(serve) as server:
        ends_soon(lambda: calls_of(f"https://127.0.0.1:{server.port}", timeouts).call("PutItem", b"{}"))
        assert ended.wait(SOON_SECONDS), "the client's socket is still open"


@pytest.mark.parametrize("calls_before", [0, 1])
def test_nothing_is_sent_after_the_deadline(calls_before: int) -> None:
    """On a new connection or an open one: the lease may be over by then, and another daemon write."""
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while True:
            requests.append(request_of(connection))
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    session = URLLib3Session()
    send, waits = session.send, threading.Event()

    def held_up(request: object) -> object:
        if waits.is_set():
            until(lambda: current().is_over, "the deadline")
        return send(request)

    session.send = held_up
    bound_session(session, 2.0, lambda _: 100, whose="AWS's")
    with SocketServer(serve) as server:
        request = AWSRequest("POST", server.endpoint, data=b"{}").prepare()
        for _ in range(calls_before):
            session.send(request)
        waits.set()
        with pytest.raises(ReadTimeoutError):
            session.send(request)
        assert len(requests) == calls_before


def test_an_answer_that_ends_after_the_deadline_is_none() -> None:
    """It may end because the deadline has cut it."""
    session = URLLib3Session()
    session.send = lambda _: until(lambda: current().is_over, "the deadline")
    bound_session(session, 0.05, lambda _: 100, whose="AWS's")
    with pytest.raises(ReadTimeoutError):
        session.send(AWSRequest("POST", "http://127.0.0.1:1/").prepare())


def test_reads_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """What writeMode=fenced asks the source for in between is bounded, too, and so is each of its tries."""
    monkeypatch.setattr("processor.aws.clients._READ_SECONDS", 0.5)
    with SocketServer(SERVERS["its body"]) as server:
        client = Clients(task(sourceEndpoint=server.endpoint)).source()
        ends_soon(lambda: client.get_item(TableName="orders", Key={"id": {"S": "a"}}))


def test_no_thread_or_descriptor_stays() -> None:
    """A deadline that is not met leaves nothing behind."""

    def serve(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")

    with SocketServer(serve) as server:
        calls = calls_of(server.endpoint)
        for _ in range(20):
            with contextlib.suppress(BotoCoreError):
                assert calls.call("PutItem", b"{}") == b"{}"
    until(lambda: "call-deadline" not in {each.name for each in threading.enumerate()}, "the end of its threads")
