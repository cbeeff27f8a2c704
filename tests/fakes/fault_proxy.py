"""An HTTP proxy in front of a DynamoDB endpoint which goes wrong on demand, and knows every write that it let through.

::

    with FaultProxy("http://127.0.0.1:8000") as proxy:      # its clients use proxy.endpoint
        fault = proxy.inject(faults.error("ThrottlingException"), "BatchWriteItem", times=3)
        fault.wait(3)                   # until it has met three requests, or AssertionError
        fault.clear()                   # it is over; a request that it holds goes on its way
        with proxy.away(): ...          # connections are refused
        proxy.writes, proxy.received    # what DynamoDB took, in order; how many requests came, by operation

``faults.py`` has what can go wrong. The oldest fault that wants a request gets it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import socketserver
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from tests.fakes.stream_record import Item

if TYPE_CHECKING:
    from typing_extensions import Self

WAIT_SECONDS = 20.0
# Headers of one connection, and those that would not hold for a changed request or answer.
_NOT_FORWARDED = {"connection", "content-length", "transfer-encoding", "accept-encoding", "x-amz-crc32", "x-amz-target"}


class Write(NamedTuple):
    """One item's write that DynamoDB confirmed at ``time.monotonic()`` = ``at``; ``item`` is None but for a put."""

    operation: str
    table: str
    key: Item
    item: Item | None
    at: float


class Answer(NamedTuple):
    """What goes back to the client."""

    status: int
    body: bytes
    headers: dict[str, str]


class Exchange(BaseHTTPRequestHandler):
    """One client's connection, and the request on it that is being answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        """Read a request, and let the first fault that wants it have it."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.service, _, self.operation = self.headers.get("X-Amz-Target", "").rpartition(".")
        self.server.proxy.act_on(self)

    def forward(self, body: bytes) -> Answer:
        """Send ``body`` to DynamoDB as this request's, and note the writes that this made."""
        answer = self._ask(self.operation, body)
        if answer.status == http.client.OK:
            self._note_writes(json.loads(body), answer)
        return answer

    def reply(self, answer: Answer) -> None:
        """Answer the client."""
        self.send_response_only(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def drop(self) -> None:
        """Cut the connection without an answer."""
        self.close_connection = True
        _cut(self.connection)

    def hung_up(self) -> bool:
        """Whether the client, who waits for an answer, has closed the connection."""
        return bool(select.select([self.connection], [], [], 0)[0]) and not self.connection.recv(1, socket.MSG_PEEK)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _ask(self, operation: str, body: bytes) -> Answer:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
        headers["X-Amz-Target"] = f"{self.service}.{operation}"
        with contextlib.closing(http.client.HTTPConnection(self.server.proxy.upstream, timeout=60)) as upstream:
            upstream.request("POST", self.path, body=body, headers=headers)
            response = upstream.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _NOT_FORWARDED}
            return Answer(response.status, response.read(), kept)

    def _note_writes(self, content: dict[str, Any], answer: Answer) -> None:
        if self.operation == "BatchWriteItem":
            undone = json.loads(answer.body).get("UnprocessedItems", {})
            for table, requests in content["RequestItems"].items():
                for request in requests:
                    if request not in undone.get(table, []):
                        self._note(table, request.get("PutRequest") or request["DeleteRequest"])
        elif self.operation in ("PutItem", "DeleteItem", "UpdateItem"):
            self._note(content["TableName"], content)

    def _note(self, table: str, what: dict[str, Any]) -> None:
        proxy, item = self.server.proxy, what.get("Item")
        if table not in proxy.key_names:
            described = json.loads(self._ask("DescribeTable", json.dumps({"TableName": table}).encode()).body)
            proxy.key_names[table] = [part["AttributeName"] for part in described["Table"]["KeySchema"]]
        key = {name: item[name] for name in proxy.key_names[table]} if item is not None else what["Key"]
        with proxy.changed:
            proxy.writes.append(Write(self.operation, table, key, item, time.monotonic()))
            proxy.changed.notify_all()


@dataclass(kw_only=True)
class Fault:
    """What happens to certain requests, until it is cleared or has met ``times`` of them."""

    act: Act
    proxy: FaultProxy
    operations: tuple[str, ...]
    times: float
    when: Callable[[Exchange], bool]
    met: int = 0
    cleared: threading.Event = field(default_factory=threading.Event)

    def wants(self, exchange: Exchange) -> bool:
        """Whether this request is one to go wrong."""
        named = not self.operations or exchange.operation in self.operations
        return named and self.met < self.times and not self.cleared.is_set() and self.when(exchange)

    def clear(self) -> None:
        """End it; requests that it holds go on."""
        self.cleared.set()

    def wait(self, count: int = 1) -> None:
        """Until it has met ``count`` requests."""
        self.proxy.wait_until(lambda: self.met >= count)


Act = Callable[[Exchange, Fault], None]


class FaultProxy:
    """Serves from entering the context to leaving it, which raises what went wrong in the proxy itself."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.changed = threading.Condition()
        self.writes: list[Write] = []
        self.received: Counter[str] = Counter()
        self.access_keys: dict[str, set[str]] = {}  # operation -> who signed
        self.key_names: dict[str, list[str]] = {}
        self.errors: list[BaseException] = []
        self._faults: list[Fault] = []
        self._server = _Server(self, 0)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def inject(
        self, act: Act, *operations: str, times: float = float("inf"), when: Callable[[Exchange], bool] = bool
    ) -> Fault:
        """From now on ``act`` happens to requests of these operations (none named: all) that ``when`` is true of."""
        fault = Fault(act=act, proxy=self, operations=operations, times=times, when=when)
        self._faults.append(fault)
        return fault

    def act_on(self, exchange: Exchange) -> None:
        """Count a request, and do to it what its fault wants, or else what DynamoDB does."""
        with self.changed:
            self.received[exchange.operation] += 1
            signed = exchange.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
            self.access_keys.setdefault(exchange.operation, set()).add(signed)
            fault = next((fault for fault in self._faults if fault.wants(exchange)), None)
            if fault is not None:
                fault.met += 1
            self.changed.notify_all()
        fault.act(exchange, fault) if fault else exchange.reply(exchange.forward(exchange.body))

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Until requests and writes have made ``condition`` true."""
        with self.changed:
            if not self.changed.wait_for(condition, timeout=WAIT_SECONDS):
                raise AssertionError(f"waited {WAIT_SECONDS:.0f} s in vain; received: {dict(self.received)}")

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Connections are cut, and new ones refused."""
        self._server.stop()
        yield
        self._server = _Server(self, int(self.endpoint.rpartition(":")[2]))
        self._server.start()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        if self.errors:
            raise self.errors[0]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        super().__init__(("127.0.0.1", port), Exchange)
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="fault-proxy")
        self.start = self._thread.start

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        for connection in list(self._open):
            _cut(connection)
        self.server_close()  # waits for the connections' threads

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: Any) -> None:
        found = sys.exc_info()[1]
        if found is not None and not isinstance(found, ConnectionError):  # that is a client that has gone
            self.proxy.errors.append(found)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
