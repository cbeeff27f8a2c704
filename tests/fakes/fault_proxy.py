"""An HTTP proxy in front of a DynamoDB endpoint which goes wrong on demand, and knows every write that it let through.

::

    with FaultProxy("http://127.0.0.1:8000") as proxy:
        fault = proxy.inject(error("ThrottlingException"), "BatchWriteItem", times=3)
        ...                                 # a client of proxy.endpoint
        fault.wait(3)                       # it has met three requests; fails after WAIT_SECONDS
        fault.clear()                       # and it is over; a held request goes on its way
        with proxy.away(): ...              # nobody listens at all
        proxy.writes, proxy.received        # what DynamoDB took, in order; how many requests came, by operation

Faults: ``error(code)``, ``empty(status)``, ``drop(after=False)``, ``delay(seconds)``, ``hold()``, ``unprocessed(count)``.
The oldest fault that wants a request gets it. What DynamoDB itself answers, the client gets as it is.
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

WAIT_SECONDS = 20.0
_LOOK_SECONDS = 0.02
_UPSTREAM_SECONDS = 60.0
# Headers of one connection, and those that no longer hold for a changed body.
_NOT_FORWARDED = {"connection", "keep-alive", "content-length", "transfer-encoding", "accept-encoding", "expect"}
_SERVER_ERRORS = {"InternalServerError", "InternalFailure", "ServiceUnavailable"}

Item = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One item's write that DynamoDB confirmed. ``item`` is None for a delete; ``at`` is ``time.monotonic()``."""

    operation: str
    table: str
    key: Item
    item: Item | None
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Fault:
    """Something that goes wrong with certain requests, until it is cleared or has met ``times`` of them."""

    def __init__(
        self,
        act: Act,
        proxy: FaultProxy,
        *,
        operations: tuple[str, ...],
        times: int | None,
        when: Callable[[Exchange], bool] | None,
    ) -> None:
        self.act = act
        self.met = 0
        self.cleared = threading.Event()
        self._proxy = proxy
        self._operations = operations
        self._times = times
        self._when = when

    def wants(self, exchange: Exchange) -> bool:
        """Whether this request is one to go wrong."""
        return (
            not self.cleared.is_set()
            and (self._times is None or self.met < self._times)
            and (not self._operations or exchange.operation in self._operations)
            and (self._when is None or self._when(exchange))
        )

    def clear(self) -> None:
        """End it; requests that it holds go on."""
        self.cleared.set()

    def wait(self, count: int = 1) -> None:
        """Until it has met ``count`` requests."""
        self._proxy.wait_until(lambda: self.met >= count, f"{count} requests met the fault")


class Exchange(BaseHTTPRequestHandler):
    """One client's connection, and the request on it that is being answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        """Read a request, and let the first fault that wants it have it."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = self.server.proxy.meet(self)
        if fault is None:
            self.reply(self.forward())
        else:
            fault.act(self, fault)

    def forward(self, body: bytes | None = None) -> Answer:
        """Send it to DynamoDB, and note the writes that this made."""
        body = self.body if body is None else body
        answer = self._ask(self.operation, body)
        if answer.status == http.client.OK:
            self._note_writes(json.loads(body), answer)
        return answer

    def reply(self, answer: Answer) -> None:
        """Answer the client."""
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def drop(self) -> None:
        """Cut the connection without an answer."""
        self.close_connection = True
        _cut(self.connection)

    def hung_up(self) -> bool:
        """Whether the client, who waits for an answer, has closed the connection."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _ask(self, operation: str, body: bytes) -> Answer:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
        headers["X-Amz-Target"] = f"{self.headers.get('X-Amz-Target', '').rpartition('.')[0]}.{operation}"
        with contextlib.closing(
            http.client.HTTPConnection(self.server.proxy.upstream, timeout=_UPSTREAM_SECONDS)
        ) as upstream:
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
                        self._note(table, (request.get("PutRequest") or request["DeleteRequest"]))
        elif self.operation in ("PutItem", "DeleteItem", "UpdateItem"):
            self._note(content["TableName"], content)

    def _note(self, table: str, what: dict[str, Any]) -> None:
        proxy = self.server.proxy
        if table not in proxy.key_names:
            described = self._ask("DescribeTable", json.dumps({"TableName": table}).encode())
            proxy.key_names[table] = [key["AttributeName"] for key in json.loads(described.body)["Table"]["KeySchema"]]
        item = what.get("Item")
        key = {name: item[name] for name in proxy.key_names[table]} if item is not None else what["Key"]
        with proxy.changed:
            proxy.writes.append(
                Write(operation=self.operation, table=table, key=key, item=item, at=time.monotonic())
            )
            proxy.changed.notify_all()


Act = Callable[[Exchange, Fault], None]


def error(code: str) -> Act:
    """DynamoDB's answer of that kind: ProvisionedThroughputExceededException, ExpiredTokenException, ..."""
    status = 500 if code in _SERVER_ERRORS else 400
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "As the test wants it"}
    answer = Answer(status, json.dumps(content).encode(), {"Content-Type": "application/x-amz-json-1.0"})
    return lambda exchange, _: exchange.reply(answer)


def empty(status: int = 500) -> Act:
    """An answer without a body."""
    return lambda exchange, _: exchange.reply(Answer(status, b"", {}))


def drop(*, after: bool = False) -> Act:
    """The connection breaks before the request arrives, or after DynamoDB has done it."""

    def act(exchange: Exchange, _: Fault) -> None:
        if after:
            exchange.forward()
        exchange.drop()

    return act


def delay(seconds: float) -> Act:
    """Arrives, but later."""

    def act(exchange: Exchange, fault: Fault) -> None:
        fault.cleared.wait(seconds)
        exchange.reply(exchange.forward())

    return act


def hold() -> Act:
    """Arrives when the fault is cleared, unless the client has hung up by then."""

    def act(exchange: Exchange, fault: Fault) -> None:
        while not fault.cleared.wait(_LOOK_SECONDS) and not exchange.hung_up():
            pass
        if exchange.hung_up():
            exchange.drop()
        else:
            exchange.reply(exchange.forward())

    return act


def unprocessed(count: int) -> Act:
    """BatchWriteItem does all but the last ``count`` of a table's writes, and hands those back."""

    def act(exchange: Exchange, _: Fault) -> None:
        wanted = json.loads(exchange.body)["RequestItems"]
        left = {table: requests[-count:] for table, requests in wanted.items()}
        now = {table: requests[:-count] for table, requests in wanted.items() if requests[:-count]}
        if now:
            answer = exchange.forward(json.dumps({"RequestItems": now}).encode())
            if answer.status != http.client.OK:
                return exchange.reply(answer)
        return exchange.reply(Answer(200, json.dumps({"UnprocessedItems": left}).encode(), {}))

    return act


class FaultProxy:
    """The proxy; serves from entering the context to leaving it, which raises what went wrong in the proxy itself."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.changed = threading.Condition()
        self.writes: list[Write] = []
        self.received: Counter[str] = Counter()
        self.key_names: dict[str, list[str]] = {}
        self.errors: list[BaseException] = []
        self._faults: list[Fault] = []
        self._server = _Server(self, 0)
        self._port = self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        """Where it listens, the same after ``away``."""
        return f"http://127.0.0.1:{self._port}"

    def inject(
        self,
        act: Act,
        *operations: str,
        times: int | None = None,
        when: Callable[[Exchange], bool] | None = None,
    ) -> Fault:
        """From now on ``act`` happens to requests of these operations (of all, if none is named) that ``when`` is true of."""
        fault = Fault(act, self, operations=operations, times=times, when=when)
        with self.changed:
            self._faults.append(fault)
        return fault

    def meet(self, exchange: Exchange) -> Fault | None:
        """Count a request; returns the fault that it meets."""
        with self.changed:
            self.received[exchange.operation] += 1
            fault = next((fault for fault in self._faults if fault.wants(exchange)), None)
            if fault is not None:
                fault.met += 1
            self.changed.notify_all()
            return fault

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Until requests and writes have made ``condition`` true."""
        with self.changed:
            if not self.changed.wait_for(condition, timeout=WAIT_SECONDS):
                message = f"waited {WAIT_SECONDS:.0f} s in vain: {what}; received: {dict(self.received)}"
                raise AssertionError(message)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Connections are cut, and new ones refused."""
        self._server.stop()
        try:
            yield
        finally:
            self._server = _Server(self, self._port)
            self._server.start()

    def __enter__(self) -> FaultProxy:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        for fault in self._faults:
            fault.clear()
        if self.errors and exc is None:
            raise self.errors[0]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        super().__init__(("127.0.0.1", port), Exchange)
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(_LOOK_SECONDS,), name="fault-proxy")

    def start(self) -> None:
        self._thread.start()

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

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # socketserver's signature
        found = sys.exc_info()[1]
        if found is not None and not isinstance(found, ConnectionError):  # that is a client that has gone
            self.proxy.errors.append(found)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
