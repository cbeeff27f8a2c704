"""A server that knows no protocol: each connection is somebody else's to serve."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

Serve = Callable[[socket.socket], None]


class SocketServer:
    """Each connection is served by ``serve``, in a thread of its own, to the end of this context.

    An AssertionError of ``serve`` is raised by the context, unless something else has failed in it.

    :param backlog: connections at once that nobody has accepted yet; None for the usual number
    """

    def __init__(self, serve: Serve, *, backlog: int | None = None) -> None:
        self._serve = serve
        self._failed: list[AssertionError] = []
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self._listening.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _end(self._listening)  # else who waits for a connection would go on doing so, and the port stay open
        self._listening.close()
        for connection in self._open.copy():
            _end(connection)
        if kind is None and self._failed:
            raise self._failed[0]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with contextlib.suppress(OSError), connection:
            try:
                self._serve(connection)
            except AssertionError as exc:
                self._failed.append(exc)
        self._open.discard(connection)


def _end(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)


def received(connection: socket.socket) -> bytes:
    """What has come.

    :raises ConnectionResetError: nothing will any more
    """
    part = connection.recv(65536)
    if not part:
        raise ConnectionResetError
    return part
