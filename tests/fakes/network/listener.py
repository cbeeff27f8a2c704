"""A server's port and threads. With its end all of them end: those that serve connections, too."""

from __future__ import annotations

import contextlib
import functools
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from typing_extensions import Self


_BIND_SECONDS = 0.02


class ConnectionThread(threading.Thread):
    """Serves a connection.

    :param listening: the thread of the server that it is one of
    """

    def __init__(self, serve: Callable[[], None], *, listening: threading.Thread) -> None:
        super().__init__(target=serve, name=f"{listening.name}'s connection", daemon=True)
        self.listening = listening


class Listener(socketserver.ThreadingTCPServer):
    """Serves in its context, or from ``start`` to ``stop``.

    Connections are cut at the end: a client that keeps one for its next call would hold a thread until it is gone.

    :param handler: serves a connection
    :param port: where to listen; by default anywhere
    :param tls: what it speaks
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        handler: type[socketserver.BaseRequestHandler],
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        name: str = "listener",
    ) -> None:
        super().__init__(("127.0.0.1", port), handler, bind_and_activate=False)
        self._bind()
        self.server_activate()
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.port: int = self.server_address[1]
        self._open: set[socket.socket] = set()
        self._serving: list[ConnectionThread] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name=name, daemon=True)

    def _bind(self) -> None:
        """A process that another thread has just started still has whatever was open here, until it is a program."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.server_bind()
            except OSError:
                if time.monotonic() > deadline:
                    self.server_close()
                    raise
                time.sleep(_BIND_SECONDS)
            else:
                return

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self.shutdown()
        self._thread.join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # past TLS, which another thread is reading
        self.server_close()
        for thread in self._serving:
            thread.join()

    def keep(self, connection: socket.socket) -> None:
        """Cut it at the end as well: it is what a handler has made of one."""
        self._open.add(connection)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, which may have to be cut."""
        self._open.add(request)
        self._serving = [thread for thread in self._serving if thread.is_alive()]
        serve = functools.partial(self.process_request_thread, request, client_address)
        self._serving.append(ConnectionThread(serve, listening=self._thread))
        self._serving[-1].start()

    def shutdown_request(self, request: Any) -> None:
        """A connection is over."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what has gone wrong in the server; a client that has gone is nothing wrong."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)
