"""A server that answers without an end, or with as much as may just be: what a hostile endpoint does to memory.

``FLOODS`` has, by name, what is said once and what is then said again until nobody listens. Who listens to far more
than an answer may have makes the test fail. ``LARGE`` has answers that end, each of the most expensive kind within its
limit.
"""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from processor.aws.bounds import most_bytes
from tests.fakes.network.socket_server import SocketServer, received

# More than twice any answer's limit: who takes so much would take more, and all of the machine's memory.
_MOST_BYTES = 32 * 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
_CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target: *([^\r]+)", re.IGNORECASE)
FLOODS: Mapping[str, tuple[bytes, bytes]] = {
    "a body": (HEAD + b'\r\n{"a":"', b"x" * 65536),
    "a long body": (HEAD + b'Content-Length: 3000000000\r\n\r\n{"a":"', b"x" * 65536),
    "chunks": (_CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "small chunks": (_CHUNKED, b"2\r\nxx\r\n" * 8192),
    "a chunk's words": (_CHUNKED + b"5;", b"x" * 65536),
    "trailers": (_CHUNKED + b"0\r\n", b"A: b\r\n" * 8192),
    "headers": (HEAD, b"A: b\r\n" * 8192),
    "a header": (HEAD + b"A: ", b"x" * 65536),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" * 2048),
}


def _filled(begin: bytes, each: bytes, end: bytes, most: int) -> bytes:
    return begin + each * ((most - len(begin) - len(end)) // len(each)) + end


# Bodies for a limit of so many bytes.
LARGE: Mapping[str, Callable[[int], bytes]] = {
    "empty lists": lambda most: _filled(b'{"Items":[[]', b",[]", b"]}", most),
    "empty objects": lambda most: _filled(b'{"UnprocessedItems":{"t":[{}', b",{}", b"]}}", most),
    "members": lambda most: b"{%b}" % b",".join([b'"%x":1' % number for number in range(most // 12)]),
    "a text of wide characters": lambda most: _filled('{"message":"\U0001f600'.encode(), b"x", b'"}', most),
    "depth": lambda most: _filled(b"", b'{"a":', b"", most),
}


ANSWERS = [*FLOODS, *LARGE]


class FloodServer(SocketServer):
    """Answers on a port of this machine, in its context: each request with the next of ``ANSWERS``.

    :param good: answers every request with this body, until ``flooding`` is set
    :param good_seconds: after so long
    :param gather: waits a second for so many requests, to answer them at once
    """

    def __init__(self, *, begin: int = 0, good: bytes = b"{}", good_seconds: float = 0.0, gather: int = 1) -> None:
        super().__init__(self._serve_floods, backlog=256)
        self._turns = itertools.count(begin)
        self._good, self._good_seconds = good, good_seconds
        self._gather = gather
        self._changed = threading.Condition()
        self._at_once = 0
        self.flooding = threading.Event()
        self.answered: Counter[str] = Counter()
        self.most_at_once = 0

    def _serve_floods(self, connection: socket.socket) -> None:
        while True:
            target, sent = _request(connection)
            if not self.flooding.is_set():
                self.flooding.wait(self._good_seconds)
                connection.sendall(_whole(self._good))
                continue
            with self._changed:
                name = ANSWERS[next(self._turns) % len(ANSWERS)]
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._at_once >= self._gather, timeout=1.0)
            try:
                _flood(connection, name, most_bytes("dynamodb", target, sent))
            finally:
                with self._changed:
                    self._at_once -= 1
                    self.answered[name] += 1


def _flood(connection: socket.socket, name: str, most: int) -> None:
    if name in LARGE:
        connection.sendall(_whole(LARGE[name](most), status=b"400 Bad"))
        return
    pour(connection, *FLOODS[name])


def pour(connection: socket.socket, first: bytes, again: bytes) -> None:
    """Say the one once, and the other again and again.

    :raises OSError: nobody listens any more
    :raises AssertionError: it was listened to for longer than anything that ends
    """
    connection.sendall(first)
    for _ in range(_MOST_BYTES // len(again)):
        connection.sendall(again)
    raise AssertionError(f"{_MOST_BYTES} bytes of an answer were taken: nothing bounds it")


def _whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = HEAD.replace(b"200 OK", status)
    return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _request(connection: socket.socket) -> tuple[str, int]:
    """A request's target, and the length of its body."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += received(connection)
    head, _, body = head.partition(b"\r\n\r\n")
    target, length = _TARGET.search(head), _LENGTH.search(head)
    size = int(length[1]) if length else 0
    while len(body) < size:
        body += received(connection)
    return target[1].decode() if target else "", size
