"""One HTTP/1.1 request and its answer, on a connection that is there: one send, and mostly one receive.

urllib3 and http.client take half a millisecond for it: for connections' states, header objects and streams that a short
POST and its short answer have no use for.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from http import HTTPStatus
from typing import NamedTuple

# A TLS record's most. Room for it is made for each call under way, of which a child may have 80.
_RECEIVE_BYTES = 16 * 1024
# http.client's own limits are 100 lines of 64 KB.
_MAX_HEAD_BYTES = 256 * 1024
_FIRST_LINE = re.compile(r"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: |$)")
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Answer(NamedTuple):
    """``headers``: their names in lower case. ``body``: as it came, whatever its content encoding."""

    status: int
    headers: dict[str, str]
    body: bytes


class BrokenAnswerError(Exception):
    """The connection ended too early, or what came is no HTTP."""


def exchange(
    connection: socket.socket, request: bytes, *, send_seconds: float, read_seconds: float
) -> tuple[Answer, bool]:
    """Send a request and read its answer.

    :param request: head and body
    :param send_seconds: for the request, from its first byte to its last
    :param read_seconds: then for the answer, to its last byte
    :returns: the answer, and whether the connection may be used again
    :raises TimeoutError: no answer in time
    :raises BrokenAnswerError: none that could be understood
    :raises OSError: the connection failed
    """
    connection.settimeout(send_seconds)
    is_sent = False
    # A server may answer, and end, before it has read everything: that the request is too large, say.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(request)
        is_sent = True
    connection.settimeout(read_seconds)
    incoming = _Incoming(connection, time.monotonic() + read_seconds)
    while True:
        version, status, headers = _head(incoming.until(b"\r\n\r\n", _MAX_HEAD_BYTES))
        if status >= HTTPStatus.OK:
            break  # before it may come any number of others: "go on", "still at it"
    body, is_delimited = _body(incoming, status, headers)
    tokens = headers.get("connection", "").lower()
    goes_on = "close" not in tokens if version == "HTTP/1.1" else "keep-alive" in tokens
    return Answer(status, headers, body), is_sent and is_delimited and goes_on and not incoming.left


def _head(lines: bytes) -> tuple[str, int, dict[str, str]]:
    first, *rest = lines.decode("latin-1").split("\r\n")
    found = _FIRST_LINE.match(first)
    if found is None:
        raise BrokenAnswerError("what came is no HTTP")
    headers = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon:
            raise BrokenAnswerError("a header without a name")
        headers[name.lower()] = value.strip()
    return found[1], int(found[2]), headers


def _body(incoming: _Incoming, status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
    """The body, and whether it was said where it ends."""
    if status in _BODILESS:
        return b"", True
    if (coding := headers.get("transfer-encoding")) is not None:
        if coding.lower() != "chunked":
            raise BrokenAnswerError("a transfer encoding that was not asked for")
        return _chunks(incoming), True
    if (length := headers.get("content-length")) is not None:
        if not (length.isdecimal() and length.isascii()):
            raise BrokenAnswerError("a length that is none")
        return incoming.take(int(length)), True
    return incoming.rest(), False


def _chunks(incoming: _Incoming) -> bytes:
    parts: list[bytes] = []
    while True:
        try:
            size = int(incoming.until(b"\r\n", _RECEIVE_BYTES).partition(b";")[0], 16)
        except ValueError as exc:
            raise BrokenAnswerError("a chunk's length that is none") from exc
        if size < 0:
            raise BrokenAnswerError("a chunk's length that is none")
        if size == 0:
            while incoming.until(b"\r\n", _RECEIVE_BYTES):
                pass  # trailers
            return b"".join(parts)
        parts.append(incoming.take(size))
        incoming.take(len(b"\r\n"))


class _Incoming:
    """What arrives, until a deadline on the monotonic clock; ``left`` is what was not asked for yet."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._is_first = True
        self.left = b""

    def until(self, end: bytes, limit: int) -> bytes:
        """What stands before ``end``, which is taken too."""
        while True:
            found, mark, after = self.left.partition(end)
            if mark:
                self.left = after
                return found
            if len(self.left) > limit:
                raise BrokenAnswerError("a line or head without an end")
            self._receive_more()

    def take(self, length: int) -> bytes:
        """So many bytes."""
        parts, missing = [self.left], length - len(self.left)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        found = b"".join(parts)
        self.left = found[length:]
        return found[:length]

    def rest(self) -> bytes:
        """All that comes until the connection ends."""
        parts = [self.left]
        while part := self._received():
            parts.append(part)
        self.left = b""
        return b"".join(parts)

    def _receive_more(self) -> None:
        self.left += self._more()

    def _more(self) -> bytes:
        part = self._received()
        if not part:
            raise BrokenAnswerError("the connection ended before the answer did")
        return part

    def _received(self) -> bytes:
        if not self._is_first:  # the connection's own timeout is of one receive, and was just set
            self._connection.settimeout(max(self._deadline - time.monotonic(), 0.001))
        self._is_first = False
        return self._connection.recv(_RECEIVE_BYTES)
