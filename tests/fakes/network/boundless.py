"""Answers without end, or larger and deeper than any can be: what a hostile endpoint sends."""

from __future__ import annotations

import functools
import gzip
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from tests.fakes.network.faulty_server import Act, Answer, Exchange, Fault

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
_BLOCK = b"x" * 65536
_DEEP = 200_000  # levels: each a call of what reads them, were they not counted


def written(parts: Callable[[], Iterable[bytes]]) -> Act:
    """Just these bytes, for as long as the client takes them; then the connection is cut."""

    def act(exchange: Exchange, _: Fault) -> None:
        try:
            for part in parts():
                exchange.wfile.write(part)
        except OSError:
            pass  # it has had enough
        exchange.drop()

    return act


def _chunks(body: Iterable[bytes]) -> Iterator[bytes]:
    yield _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    for part in body:
        yield b"%x\r\n%b\r\n" % (len(part), part)


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(b'{"Records":[],"Items":[' + b" " * 50_000_000)


def _whole(body: bytes) -> Act:
    answer = Answer(200, body, {"Content-Type": "application/x-amz-json-1.0"})
    return lambda exchange, _: exchange.reply(answer)


def _drip() -> Iterator[bytes]:
    yield _HEAD
    while True:
        time.sleep(0.5)
        yield b"X"


ACTS: Mapping[str, Act] = {
    "a body without an end": written(lambda: _chunks(itertools.repeat(_BLOCK))),
    "JSON without an end": written(
        lambda: _chunks(itertools.chain([b'{"Records":['], itertools.repeat(b"[]," * 20_000)))
    ),
    "a line without an end": written(lambda: itertools.chain([_HEAD + b"X-Long: "], itertools.repeat(_BLOCK))),
    "lines without an end": written(lambda: itertools.chain([_HEAD], itertools.repeat(b"X-More: x\r\n" * 1000))),
    "nothing but interim answers": written(lambda: itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)),
    "more than was ever sent": written(lambda: [_HEAD + b"Content-Length: 3000000000\r\n\r\n", *[_BLOCK] * 40_000]),
    "a length of 5,000 digits": written(lambda: [_HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}"]),
    "two lengths": written(lambda: [_HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}"]),
    "a chunk of odd size": written(
        lambda: [_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n"]
    ),
    "50 MB in 50 KB": written(
        lambda: [_HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(_bomb()), _bomb())]
    ),
    "deep": _whole(b'{"Records":[{"dynamodb":' + b'{"a":' * _DEEP + b"1" + b"}" * _DEEP + b"}]}"),
    "deep lists": _whole(b'{"Records":' + b"[" * _DEEP + b"]" * _DEEP + b"}"),
    "a number of 5,000 digits": _whole(
        b'{"Records":[{"dynamodb":{"SequenceNumber":"1","ApproximateCreationDateTime":' + b"9" * 5000 + b"}}]}"
    ),
    "a million records": _whole(
        b'{"Records":['
        + b'{"dynamodb":{"SequenceNumber":"1","ApproximateCreationDateTime":1}},' * 150_000
        + b'{}],"NextShardIterator":"i"}'
    ),
}
DEEP_XML = _whole(b"<a>" * _DEEP + b"</a>" * _DEEP)
DRIPPING = written(_drip)
