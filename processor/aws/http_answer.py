"""Reads an HTTP/1.1 answer from a socket within limits of bytes and time.

Every answer of every call is read here: those of ``http1.py``, and those of botocore's connections
(``connections.py``), whose own parser accepts contradictory lengths, and reads without end.
"""

from __future__ import annotations

import math
import re
import socket
import time
from http import HTTPStatus
from http.client import HTTPException
from typing import NamedTuple

from processor.aws.bounds import FREE_BYTES, ROOM, InvalidAnswerError, TooLargeAnswerError, shown

# The largest TLS record. Each call in progress has a buffer of this size, and a child may have 80 calls.
_RECEIVE_BYTES = 16 * 1024
# http.client's own limits are 100 lines of 64 KB each. AWS's heads have some 10 lines and 1 KB.
MAX_HEAD_BYTES = 64 * 1024
_MAX_HEADERS = 100
# AWS sends no interim answers, because none are asked for.
_MAX_INTERIM = 10
_FIRST_LINE = re.compile(r"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: |$)")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,12})(?:;[^\r\n]*)?")
_MAX_CHUNK_LINE_BYTES = 4 * 1024
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
# If one of these headers comes twice with different values, it is unclear where the answer ends.
_SINGLE = frozenset({"content-length", "transfer-encoding"})
_END = b"\r\n"


class Answer(NamedTuple):
    """``headers``: with names in lower case. ``body``: as received, whatever its content encoding."""

    status: int
    headers: dict[str, str]
    body: bytes


class BrokenAnswerError(HTTPException):
    """The connection ended before the answer did."""


def read_answer(
    connection: socket.socket,
    *,
    deadline: float,
    most_bytes: int,
    method: str = "POST",
    receive_seconds: float = math.inf,
) -> tuple[Answer, bool]:
    """Read an answer; the first receive uses the connection's own timeout.

    :param deadline: for the whole answer, on the monotonic clock
    :param most_bytes: limit for its body
    :param method: the request's
    :param receive_seconds: timeout of each receive after the first
    :returns: the answer, and whether the connection may be used again
    :raises TimeoutError: it does not arrive in time
    :raises InvalidAnswerError: it exceeds the limits, or is not HTTP
    :raises BrokenAnswerError: the connection ended first
    :raises OSError: the connection failed
    """
    incoming = _Incoming(connection, deadline, receive_seconds)
    # Interim answers ("100 Continue", "102 Processing") may come before the final one.
    for _ in range(_MAX_INTERIM + 1):
        version, status, headers = _head(incoming.until(b"\r\n\r\n", MAX_HEAD_BYTES))
        if status >= HTTPStatus.OK:
            break
    else:
        raise InvalidAnswerError(f"more than {_MAX_INTERIM} interim answers")
    is_bodiless = method == "HEAD" or status in _BODILESS
    body, is_delimited = (b"", True) if is_bodiless else _body(incoming, headers, most_bytes)
    tokens = headers.get("connection", "").lower()
    goes_on = "close" not in tokens if version == "HTTP/1.1" else "keep-alive" in tokens
    return Answer(status, headers, body), is_delimited and goes_on and not incoming.left


def _head(lines: bytes) -> tuple[str, int, dict[str, str]]:
    first, *rest = lines.decode("latin-1").split("\r\n")
    found = _FIRST_LINE.match(first)
    if found is None:
        raise InvalidAnswerError("no HTTP")
    if len(rest) > _MAX_HEADERS:
        raise InvalidAnswerError(f"more than {_MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon or _NAME.fullmatch(name) is None:
            raise InvalidAnswerError("a header without a name")
        key, value = name.lower(), value.strip()
        if key in headers and key in _SINGLE and value != headers[key]:
            raise InvalidAnswerError(f"two headers {name} that differ")
        headers[key] = value
    return found[1], int(found[2]), headers


def _body(incoming: _Incoming, headers: dict[str, str], most_bytes: int) -> tuple[bytes, bool]:
    """The body, and whether the headers say where it ends."""
    is_chunked, length = _framing(headers)
    if length is not None and length <= min(most_bytes, len(incoming.left)):
        return incoming.take(length), True
    body = _Body(most_bytes)
    try:
        if is_chunked:
            _chunks(incoming, body)
        elif length is not None:
            incoming.pour(length, body)
        else:
            incoming.pour_rest(body)
    except BaseException:
        body.drop()
        raise
    return body.whole(), is_chunked or length is not None


def _framing(headers: dict[str, str]) -> tuple[bool, int | None]:
    """Whether the body comes in chunks, and its length, if the headers have it."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if length is not None:
            raise InvalidAnswerError("both a length and a transfer encoding")
        if coding.lower() != "chunked":
            raise InvalidAnswerError("a transfer encoding that was not asked for")
        return True, None
    if length is None:
        return False, None
    if _LENGTH.fullmatch(length) is None:
        raise InvalidAnswerError("a length that is not a number")
    return False, int(length)


def _chunks(incoming: _Incoming, body: _Body) -> None:
    """Read chunks. What they have besides the body may be as large as the body and a head's limit together."""
    overhead = 0
    while True:
        line = incoming.until(_END, _MAX_CHUNK_LINE_BYTES)
        found = _CHUNK_LINE.fullmatch(line)
        if found is None:
            raise InvalidAnswerError("a chunk's length that is not a number")
        size = int(found[1], 16)
        overhead += len(line) + 2 * len(_END)
        if overhead > MAX_HEAD_BYTES + body.size:
            raise InvalidAnswerError("more about chunks than in them")
        if size == 0:
            _pass_over_trailers(incoming)
            return
        incoming.pour(size, body)
        if incoming.take(len(_END)) != _END:
            raise InvalidAnswerError("a chunk of another length than it says")


def _pass_over_trailers(incoming: _Incoming) -> None:
    for _ in range(_MAX_HEADERS + 1):
        if not incoming.until(_END, _MAX_CHUNK_LINE_BYTES):
            return
    raise InvalidAnswerError(f"more than {_MAX_HEADERS} trailers")


def _too_large(most_bytes: int) -> TooLargeAnswerError:
    return TooLargeAnswerError(f"larger than {shown(most_bytes)}")


class _Body:
    """A body that grows within its limit, and within the room that all answers share."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        # Not one growing buffer: dozens of them, moved again and again, would fragment several times their size.
        self._parts: list[bytes] = []
        self._room = 0
        self.size = 0

    def check(self, more: int) -> None:
        """Check that this many more bytes are within the limit.

        :raises TooLargeAnswerError: they are not
        """
        if self.size + more > self._most:
            raise _too_large(self._most)

    def add(self, part: bytes) -> None:
        """Append a part.

        :raises TooLargeAnswerError: the body would be too large
        """
        self.check(len(part))
        self.size += len(part)
        more = self.size - FREE_BYTES - self._room
        if more > 0:
            ROOM.take(more)
            self._room += more
        self._parts.append(part)

    def whole(self) -> bytes:
        """All of it."""
        ROOM.keep(self._room)
        found = b"".join(self._parts)
        self._parts.clear()
        return found

    def drop(self) -> None:
        """Free the room and the bytes: an exception may keep this object alive for as long as an outage."""
        self._parts.clear()
        ROOM.give(self._room)


class _Incoming:
    """The incoming bytes, until a deadline on the monotonic clock; ``left`` holds those received but not yet used."""

    def __init__(self, connection: socket.socket, deadline: float, receive_seconds: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._receive_seconds = receive_seconds
        self._is_first = True
        self.left = b""

    def until(self, end: bytes, limit: int) -> bytes:
        """The bytes before ``end``; ``end`` is consumed, too."""
        while True:
            found, mark, after = self.left.partition(end)
            if len(found) > limit:
                raise InvalidAnswerError(f"a line or head longer than {shown(limit)}")
            if mark:
                self.left = after
                return found
            self.left += self._more()

    def take(self, length: int) -> bytes:
        """A few bytes."""
        while len(self.left) < length:
            self.left += self._more()
        found, self.left = self.left[:length], self.left[length:]
        return found

    def pour(self, length: int, body: _Body) -> None:
        """Move this many bytes into a body."""
        body.check(length)
        while length > 0:
            part = self.left or self._more()
            body.add(part[:length])
            self.left = part[length:]
            length -= len(part)

    def pour_rest(self, body: _Body) -> None:
        """Move everything into a body until the connection ends."""
        body.add(self.left)
        self.left = b""
        while part := self._received():
            body.add(part)

    def _more(self) -> bytes:
        part = self._received()
        if not part:
            raise BrokenAnswerError("the connection ended before the answer did")
        return part

    def _received(self) -> bytes:
        if not self._is_first:  # the connection's own timeout was just set for the first receive
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:  # a fast sender never lets a receive time out, so the deadline is checked here
                raise TimeoutError("the answer took too long")
            self._connection.settimeout(min(remaining, self._receive_seconds))
        self._is_first = False
        return self._connection.recv(_RECEIVE_BYTES)
