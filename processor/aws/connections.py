"""botocore's connections, bounded in time and in bytes: head, body, interim answers, a proxy's answer.

::

    client ─▶ botocore's HTTP session ─▶ urllib3's pool ─▶ a connection of ours: watched by the call's deadline
                                                                     └─▶ its answer: whole, by http_answer.py
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from http.client import HTTPMessage, HTTPResponse
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.exceptions import HTTPClientError, ReadTimeoutError

from processor.aws.bounds import ROOM, InvalidAnswerError, most_bytes
from processor.aws.deadlines import Deadline, current
from processor.aws.errors import not_aws
from processor.aws.http_answer import MAX_HEAD_BYTES, read_answer
from processor.aws.internals import ChangedLibraryError, http_session, say, use_pools, wrap_calls

_TOO_LONG = "the call took too long"
UNBOUND = "Each step of a call has its limit, but not the whole call, nor the size of its answer."


class _Lines:
    """A file whose lines together may be as long as a head, and come before the call's deadline."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = MAX_HEAD_BYTES

    def readline(self, limit: int) -> bytes:
        """Read one.

        :raises InvalidAnswerError: there were too many
        :raises TimeoutError: the deadline cut it, so it is no answer, and no TLS is begun behind it
        """
        line: bytes = self._file.readline(min(limit, self._left + 1))
        if current().is_over:
            raise TimeoutError(_TOO_LONG)
        self._left -= len(line)
        if self._left < 0:
            raise InvalidAnswerError("a proxy's answer without an end")
        return line

    def flush(self) -> None:
        """Nothing is written to it."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Response(HTTPResponse):
    """An answer, read whole by ``http_answer.py``; of a proxy to CONNECT http.client reads the head alone."""

    def __init__(self, connection: socket.socket, *, method: str | None = None) -> None:
        super().__init__(connection, method=method)
        self.fp: Any = _Lines(self.fp)
        self._connection = connection
        self._asked = method or "POST"
        self._whole = b""

    def begin(self) -> None:
        """Read the answer; the connection's timeout is that of a receive."""
        call = current()
        answer, is_kept = read_answer(
            self._connection,
            deadline=call.at,
            most_bytes=call.most_bytes,
            method=self._asked,
            receive_seconds=self._connection.gettimeout() or math.inf,
        )
        self.status, self.code, self.reason, self.version = answer.status, answer.status, "", 11
        self.headers = self.msg = HTTPMessage()
        for name, value in answer.headers.items():
            if name != "transfer-encoding":  # it is undone
                self.headers[name] = value
        self.will_close, self.chunked, self.length = not is_kept, False, len(answer.body)
        self._whole = answer.body

    def read(self, amt: int | None = None) -> bytes:  # noqa: ARG002  # the base class's
        """All of it at once: parts would only be put together again, beside the whole."""
        if self.isclosed():
            return b""
        file, self.fp = self.fp, None  # as the base class does when it has read all
        file.close()
        whole, self._whole = self._whole, b""  # the connection keeps its last answer until the next
        return whole


class _Watched:
    """A connection that shows its socket to the deadline of whoever uses it, and reads answers within bounds."""

    response_class = _Response
    _open: socket.socket | None = None

    @property
    def sock(self) -> socket.socket | None:
        """The socket; None before it is opened, and once it is closed."""
        return self._open

    @sock.setter
    def sock(self, opened: socket.socket | None) -> None:
        """urllib3 sets it as soon as it is open: before it asks a proxy for a tunnel, and before TLS begins on it."""
        self._open = opened
        if opened is not None:
            current().watch(opened)

    def connect(self) -> None:
        """Open it. What was cut by the deadline is not open."""
        super().connect()  # type: ignore[misc]  # the mixed-in class's
        if current().is_over:
            raise TimeoutError(_TOO_LONG)

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> Any:
        """On a connection that was open before, too.

        Nobody is asked whether to go on: botocore reads that answer without a bound.
        """
        if self.sock is not None:
            current().watch(self.sock)
        sent = {name: value for name, value in headers.items() if name.lower() != "expect"}
        return super().request(method, url, body, sent, **options)  # type: ignore[misc]


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

    The client's calls then raise what those of ``bound_session`` do.
    """
    service = client.meta.service_model.service_name

    def limit(request: Any) -> int:
        target = request.headers.get("X-Amz-Target", b"")
        target = target.decode("latin-1") if isinstance(target, bytes) else target
        sent = request.body
        return most_bytes(service, target, len(sent) if isinstance(sent, (bytes, str, bytearray)) else 0)

    try:
        wrap_calls(client, _in_room)
        bound_session(http_session(client), seconds, limit, whose="AWS's")
    except ChangedLibraryError as exc:
        say(exc, UNBOUND)
    return client


def _in_room(make: Callable[..., Any]) -> Callable[..., Any]:
    def make_in_room(*args: Any) -> Any:
        with ROOM.call():
            return make(*args)

    return make_in_room


def bound_session(session: Any, seconds: float, limit: Callable[[Any], int], *, whose: str) -> None:
    """Give each request of botocore's HTTP session so long; before its first.

    It then raises ``ReadTimeoutError`` where that is over, and ``NotDynamoDBError`` where an answer is past its limit
    or breaks HTTP's rules. A body that botocore would stream is read whole as well.

    :param limit: the most bytes that the answer to a request may have
    :param whose: the answers are, for a message
    :raises ChangedLibraryError: it can't be given so long
    """
    use_pools(session, {"http": _Pool, "https": _TLSPool})
    send = session.send

    def send_in_time(request: Any) -> Any:
        with Deadline(seconds, most_bytes=limit(request)) as deadline:
            try:
                answer = send(request)
            except Exception as exc:
                if deadline.is_over:
                    raise ReadTimeoutError(endpoint_url=request.url, error=exc) from exc
                fault = exc.kwargs.get("error") if isinstance(exc, HTTPClientError) else None
                if isinstance(fault, InvalidAnswerError):
                    raise not_aws(whose, fault) from fault
                raise
            if deadline.is_over:  # an answer that ends where its connection does may be cut
                raise ReadTimeoutError(endpoint_url=request.url, error=_TOO_LONG)
        return answer

    session.send = send_in_time
