"""The metrics page's server against clients that never end."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from prometheus_client import CollectorRegistry, make_wsgi_app

from processor.metrics import page_server
from processor.metrics.page_server import MAX_CONNECTIONS, PageServer
from tests.fakes.patience import PATIENCE_SECONDS, until


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
