"""The metrics page's server against clients that never end."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest
from prometheus_client import CollectorRegistry, Metric, make_wsgi_app
from prometheus_client.registry import Collector

from processor import __version__
from processor.metrics import page_server
from processor.metrics.page_server import CONNECTION_SECONDS, MAX_CONNECTIONS, PageServer
from processor.metrics.prometheus_endpoint import listening
from tests.fakes.network.faulty_server import free_port
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.fakes.task.tasks import task


@pytest.fixture
def server() -> Iterator[PageServer]:
    """An empty page."""
    made = PageServer("localhost", 0)
    made.set_app(make_wsgi_app(CollectorRegistry()))
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def _connect(server: PageServer) -> socket.socket:
    return socket.create_connection((server.server_name, server.server_port), timeout=PATIENCE_SECONDS)


def _page(server: PageServer) -> int:
    with urllib.request.urlopen(f"http://localhost:{server.server_port}/metrics", timeout=PATIENCE_SECONDS) as answer:
        return int(answer.status)


def _is_answered(server: PageServer) -> bool:
    try:
        return _page(server) == 200
    except OSError:
        return False


class _Timer(threading.Timer):
    """A timer that is kept, with whether it was begun."""

    made: ClassVar[list[_Timer]] = []
    is_begun = False

    def __init__(self, interval: float, function: Callable[..., object], args: Iterable[Any]) -> None:
        super().__init__(interval, function, args)
        self.made.append(self)

    def start(self) -> None:
        """Begin."""
        self.is_begun = True
        super().start()


def test_every_connection_has_its_time(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins before the request is read, and ends when it is answered; then its place is another's."""
    monkeypatch.setattr(page_server.threading, "Timer", _Timer)
    monkeypatch.setattr(_Timer, "made", [])
    for number in range(1, MAX_CONNECTIONS * 2):
        assert _is_answered(server), f"page {number}"
    assert [(each.interval, each.is_begun) for each in _Timer.made] == [(CONNECTION_SECONDS, True)] * number


def test_no_more_connections_than_there_are_places(server: PageServer) -> None:
    """A client with all places is the last to get one; the next is hung up on at once, and served when one is free."""
    with ExitStack() as held:
        for _ in range(MAX_CONNECTIONS):
            held.enter_context(_connect(server))
        with _connect(server) as one_more:
            assert one_more.recv(1) == b""
    until(lambda: _is_answered(server), "a place that is free again")


def test_a_client_that_drips_is_hung_up_on(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is that of the whole connection: a byte now and then does not lengthen it."""
    monkeypatch.setattr(page_server, "CONNECTION_SECONDS", 0.5)
    with _connect(server) as slow:
        slow.settimeout(0.05)
        ended = threading.Event()

        def drip() -> bool:
            try:
                slow.sendall(b"G")
                if slow.recv(1) == b"":
                    ended.set()
            except TimeoutError:
                pass
            except OSError:
                ended.set()
            return ended.is_set()

        until(drip, "the end of a connection that drips")
    assert _page(server) == 200


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/metrics", 200, f'dynamodb_replicator_build_info{{version="{__version__}"}} 1.0'),
        ("/healthz", 200, "ok"),
        ("/", 404, "There is /metrics, for Prometheus, and /healthz."),
        ("/metrics/more", 404, "There is /metrics"),
    ],
)
def test_only_what_there_is_is_answered_with_200(path: str, status: int, text: str) -> None:
    """A probe at a mistyped path must not be told that all is well."""
    port = free_port()
    with listening(task(metricsPort=str(port)), _Nothing()):
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        asked.request("GET", path)
        answer = asked.getresponse()
        assert (answer.status, text in answer.read().decode()) == (status, True)
        asked.close()


class _Nothing(Collector):
    def collect(self) -> list[Metric]:
        """None."""
        return []


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("127.0.0.2", ["127.0.0.2"]),
        ("0.0.0.0", ["127.0.0.1", "127.0.0.2"]),  # noqa: S104  # a case
    ],
)
def test_it_listens_where_it_is_told(address: str, reached: list[str]) -> None:
    """``metricsAddress``, and nowhere else."""
    port = free_port()
    with listening(task(metricsPort=str(port), metricsAddress=address), _Nothing()):
        assert [each for each in ("127.0.0.1", "127.0.0.2") if _is_open(each, port)] == reached


def _is_open(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=PATIENCE_SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True
