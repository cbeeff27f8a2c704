"""An HTTP server that goes wrong on demand; ``fault_proxy.py`` and ``streams_simulator.py`` say what it does otherwise.

::

    fault = server.inject(faults.error("ThrottlingException"), "BatchWriteItem", times=3)
    fault.wait(3)                       # until it has met three requests, or AssertionError
    fault.clear()                       # it is over; a request that it holds goes on its way
    server.follow(faults.plan(seed=7, throttled=0.05, dropped=0.02), "GetRecords")
    with server.away(): ...             # connections are refused
    server.received                     # how many requests came, by operation

``faults.py`` has what can go wrong. The oldest fault that wants a request gets it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from processor.commands.demo.dynamodb_local import free_port
from tests.fakes.daemon import start_probe
from tests.fakes.network.listener import Listener
from tests.fakes.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from typing_extensions import Self


class Answer(NamedTuple):
    """What goes back to the client."""

    status: int
    body: bytes
    headers: dict[str, str]


class Exchange(BaseHTTPRequestHandler):
    """One client's connection, and the request on it that is being answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener
    planned: Act | None = None  # what a plan has drawn for this request

    def do_POST(self) -> None:
        """Read a request, and let the first fault that wants it have it."""
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        if len(self.body) < length:  # who asked was killed in the middle of it
            self.close_connection = True
            return
        self.service, _, self.operation = self.headers.get("X-Amz-Target", "").rpartition(".")
        self.server.owner.act_on(self)

    do_DELETE = do_GET = do_HEAD = do_PUT = do_POST  # noqa: N815  # the library's names; S3's requests

    @property
    def access_key(self) -> str:
        """Who signed the request; empty where nobody did."""
        signed: str = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        return signed

    def forward(self, body: bytes) -> Answer:
        """Do what the request, with ``body`` for its own, asks for."""
        return self.server.owner.perform(self, body)

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
        poll = select.poll()  # select() takes no descriptor past 1,023, and a whole matrix has more
        poll.register(self.connection, select.POLLIN)
        try:
            return bool(poll.poll(0)) and not self.connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


_PROBE = start_probe.PREFIX.encode()


@dataclass(kw_only=True)
class Fault:
    """What happens to certain requests, until it is cleared or has met ``times`` of them; the first ``after`` go by."""

    act: Act
    server: FaultyServer
    operations: tuple[str, ...]
    times: float
    when: Callable[[Exchange], bool]
    probes: bool = False
    after: int = 0
    gone_by: int = 0
    met: int = 0
    cleared: threading.Event = field(default_factory=threading.Event)

    def wants(self, exchange: Exchange) -> bool:
        """Whether this request is one to go wrong."""
        named = not self.operations or exchange.operation in self.operations
        if _PROBE in exchange.body and not self.probes:
            return False
        if not (named and self.met < self.times and not self.cleared.is_set() and self.when(exchange)):
            return False
        if self.gone_by < self.after:
            self.gone_by += 1
            return False
        return True

    def clear(self) -> None:
        """End it; requests that it holds go on."""
        self.cleared.set()

    def wait(self, count: int = 1) -> None:
        """Until it has met ``count`` requests."""
        self.server.wait_until(lambda: self.met >= count)


Act = Callable[[Exchange, Fault], None]


class Plan(Protocol):
    """Which requests go wrong, and how; ``faults.plan`` makes them."""

    def strikes(self, exchange: Exchange) -> bool:
        """Whether this request goes wrong; asked once for each."""

    def act(self, exchange: Exchange, fault: Fault) -> None:
        """Let it go wrong."""


class FaultyServer:
    """Serves from entering the context to leaving it, which raises what went wrong in the server itself.

    :param port: where to listen; by default anywhere that is free, and stays so while the server is ``away``
    """

    def __init__(self, *, port: int = 0) -> None:
        self.changed = threading.Condition()
        self.received: Counter[str] = Counter()
        self.access_keys: dict[str, set[str]] = {}  # operation -> who signed
        self.errors: list[BaseException] = []
        self._faults: list[Fault] = []
        self._listener = _Listener(self, port or free_port())
        self.endpoint = f"http://127.0.0.1:{self._listener.port}"

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Do a request that does not go wrong, with ``body`` for its own."""
        raise NotImplementedError

    def inject(
        self,
        act: Act,
        *operations: str,
        times: float = float("inf"),
        when: Callable[[Exchange], bool] = bool,
        probes: bool = False,
        after: int = 0,
    ) -> Fault:
        """From now on ``act`` happens to requests of these operations (none named: all) that ``when`` is true of.

        :param probes: also to those by which a start tries whether it may write
        :param after: so many of them go by first
        """
        fault = Fault(act=act, server=self, operations=operations, times=times, when=when, probes=probes, after=after)
        self._faults.append(fault)
        return fault

    def follow(self, plan: Plan, *operations: str) -> Fault:
        """From now on these operations (none named: all) go wrong as planned."""
        return self.inject(plan.act, *operations, when=plan.strikes)

    def act_on(self, exchange: Exchange) -> None:
        """Count a request, and do to it what its fault wants, or else what it asks for."""
        with self.changed:
            self.received[exchange.operation] += 1
            self.access_keys.setdefault(exchange.operation, set()).add(exchange.access_key)
            fault = next((fault for fault in self._faults if fault.wants(exchange)), None)
            if fault is not None:
                fault.met += 1
            self.changed.notify_all()
        fault.act(exchange, fault) if fault else exchange.reply(exchange.forward(exchange.body))

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Until what came and what was done have made ``condition`` true."""
        with self.changed:
            if not self.changed.wait_for(condition, timeout=PATIENCE_SECONDS):
                raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s in vain; received: {dict(self.received)}")

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Connections are cut, and new ones refused; the port stays ours, so that no other test gets it."""
        port = int(self.endpoint.rpartition(":")[2])
        self._listener.stop()
        with contextlib.closing(socket.socket()) as kept:
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that a listener may have it beside us
            kept.bind(("127.0.0.1", port))
            yield
            self._listener = _Listener(self, port)
        self._listener.start()

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()
        if self.errors:
            raise self.errors[0]


class _Listener(Listener):
    def __init__(self, owner: FaultyServer, port: int) -> None:
        super().__init__(Exchange, port=port, name=type(owner).__name__)
        self.owner = owner

    def handle_error(self, *_: Any) -> None:
        found = sys.exc_info()[1]
        if found is not None and not isinstance(found, ConnectionError):  # that is a client that has gone
            self.owner.errors.append(found)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
