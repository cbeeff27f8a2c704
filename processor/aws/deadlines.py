"""One deadline for a whole call of botocore's HTTP session: from the first connect to the answer's last byte.

urllib3 has a timeout for each step: each address, each receive of a TLS handshake, of a proxy's answer, of the answer.
Who sends two bytes every now and then keeps it waiting for as long as he likes. So at the deadline the connection is
shut down under it, and what it makes of that becomes a timeout. A name server's time is not bounded.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.exceptions import ReadTimeoutError

_TOO_LONG = "the call took too long"
_of_thread = threading.local()


class _Deadline:
    """That of the call which this thread makes, in its context."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.name, self._timer.daemon = "call-deadline", True

    def __enter__(self) -> _Deadline:  # noqa: PYI034  # Self came with Python 3.11
        _of_thread.current = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        _of_thread.current = None
        self._timer.cancel()
        with self._lock:
            self._let_go()

    def watch(self, connection: socket.socket) -> None:
        """Shut this one down at the deadline; it may be wrapped by TLS meanwhile, which takes its descriptor away."""
        handle = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._let_go()
            self._handle = handle
            if self.is_over:
                self._shut()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            self._shut()

    def _shut(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._handle.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class _Watched:
    """A connection that shows its socket to the deadline of whoever uses it."""

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]  # the mixed-in class's
        _watch(made)
        return made

    def connect(self) -> None:
        """A proxy's answer that was cut by the deadline is none, and no TLS is begun behind it."""
        super().connect()  # type: ignore[misc]
        if _is_over():
            raise TimeoutError(_TOO_LONG)

    def _tunnel(self) -> None:
        super()._tunnel()  # type: ignore[misc]
        if _is_over():
            raise TimeoutError(_TOO_LONG)

    def request(self, *args: Any, **options: Any) -> Any:
        """On a connection that was open before, too."""
        if self.sock is not None:  # type: ignore[attr-defined]
            _watch(self.sock)  # type: ignore[attr-defined]
        return super().request(*args, **options)  # type: ignore[misc]


def _is_over() -> bool:
    deadline: _Deadline | None = getattr(_of_thread, "current", None)
    return deadline is not None and deadline.is_over


def _watch(connection: socket.socket) -> None:
    deadline: _Deadline | None = getattr(_of_thread, "current", None)
    if deadline is not None:
        deadline.watch(connection)


class _Connection(_Watched, AWSHTTPConnection):  # type: ignore[misc]  # as botocore's own is
    pass


class _TLSConnection(_Watched, AWSHTTPSConnection):  # type: ignore[misc]  # as botocore's own is
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def bound(client: Any, seconds: float) -> Any:
    """Give each call of a client so long, and each of its retries anew; before its first. Returns the client.

    The client's calls then raise ``ReadTimeoutError`` where that is over. A body that is streamed is not part of it.
    """
    session = client._endpoint.http_session  # noqa: SLF001  # there is no public way
    session._pool_classes_by_scheme.update(http=_Pool, https=_TLSPool)  # noqa: SLF001  # which its managers share
    send = session.send

    def send_in_time(request: Any) -> Any:
        with _Deadline(seconds) as deadline:
            try:
                answer = send(request)
            except Exception as exc:
                if deadline.is_over:
                    raise ReadTimeoutError(endpoint_url=request.url, error=exc) from exc
                raise
            if deadline.is_over:  # an answer that ends where its connection does may be cut
                raise ReadTimeoutError(endpoint_url=request.url, error=_TOO_LONG)
        return answer

    session.send = send_in_time
    return client
