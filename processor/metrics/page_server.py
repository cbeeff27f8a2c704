"""The HTTP server of the metrics page: few connections at once, and none for long.

Prometheus asks every few seconds and is answered in milliseconds. Anybody else who reaches the port, and keeps
connections open or sends a byte now and then, costs a limited number of threads and file descriptors for a limited
time.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

MAX_CONNECTIONS = 8
# From the first byte to the last. A page of 500 shards takes 0.1 s; Prometheus gives up after 10 s.
CONNECTION_SECONDS = 10.0


class _Handler(WSGIRequestHandler):
    """Logs nothing: a scrape is not worth a line."""

    timeout = CONNECTION_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the parameter's name is the base class's
        """Log nothing."""


class PageServer(ThreadingMixIn, WSGIServer):
    """Serves one WSGI application.

    :param address: an IPv4 or IPv6 address, or a name of this machine
    :raises OSError: something else listens there, or the address isn't this machine's
    """

    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        self.address_family, _, _, _, place = socket.getaddrinfo(
            address, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((str(place[0]), port), _Handler)

    def server_bind(self) -> None:
        """Listen. The base class would look up the machine's own name, and the name server may be unreachable."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own if one is free; otherwise close the connection."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, or close the connection when the time is over."""
        hang_up = threading.Timer(CONNECTION_SECONDS, _end, [request])
        hang_up.daemon = True
        hang_up.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            hang_up.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: a connection that ends early is not worth a line."""


def _end(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
