"""An answer as it comes over the wire, in any pieces; and what is none."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.aws.exchange import Answer, BrokenAnswerError, exchange

HEAD = b"HTTP/1.1 200 OK\r\nX-One: 1\r\n"
PLAIN = HEAD + b"Content-Length: 5\r\n\r\nhello"
OLD = PLAIN.replace(b"1.1", b"1.0")
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "of a length": (PLAIN, b"hello", True),
    "empty": (HEAD + b"Content-Length: 0\r\n\r\n", b"", True),
    "in chunks": (
        CHUNKED + b"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: 1\r\n\r\n",
        b"hello",
        True,
    ),
    "after others": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nA: b\r\n\r\n" + PLAIN, b"hello", True),
    "of an older server": (OLD, b"hello", False),
    "of one that goes on": (
        OLD.replace(b"X-", b"Connection: Keep-Alive\r\nX-"),
        b"hello",
        True,
    ),
    "of one that closes": (HEAD + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "to the end": (HEAD + b"\r\nhello", b"hello", False),
    "with more than was said": (PLAIN + b"HTTP/1.1 200 OK\r\n", b"hello", False),
}
BROKEN = {
    "nothing": b"",
    "no HTTP": b"220 mail ready\r\n\r\n",
    "another HTTP": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "no name": HEAD + b"what\r\n\r\n",
    "half a body": PLAIN[:-1],
    "no length": HEAD + b"Content-Length: -5\r\n\r\nhello",
    "half a chunk": CHUNKED + b"5\r\nhel",
    "no chunk": CHUNKED + b"five\r\nhello",
    "a chunk less than nothing": CHUNKED + b"-5\r\nhello",
    "another coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "a head without an end": HEAD + b"A: b\r\n" * 100_000,
}


@contextmanager
def _peer(speak: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    """A connection to one who speaks."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=speak, args=(theirs,))
        thread.start()
        yield ours
        ours.close()
        thread.join()


def _says(parts: Sequence[bytes]) -> Callable[[socket.socket], None]:
    def speak(connection: socket.socket) -> None:
        try:
            connection.recv(65536)
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end has heard enough

    return speak


def _exchange(connection: socket.socket, *, seconds: float = 20.0) -> tuple[Answer, bool]:
    return exchange(connection, b"POST / HTTP/1.1\r\n\r\n", send_seconds=seconds, read_seconds=seconds)


@given(name=st.sampled_from(list(ANSWERS)), cuts=st.lists(st.integers(1, 100), max_size=4))
@settings(max_examples=150, derandomize=True)
def test_an_answer_is_read_in_any_pieces(name: str, cuts: list[int]) -> None:
    """Status, headers and body are the same, however they come; a connection is kept only where the next may follow."""
    sent, body, is_kept = ANSWERS[name]
    places = [0, *sorted({min(cut, len(sent)) for cut in cuts}), len(sent)]
    with _peer(_says([sent[a:b] for a, b in itertools.pairwise(places)])) as connection:
        answer, found = _exchange(connection)
    assert (answer.status, answer.headers["x-one"], answer.body) == (200, "1", body)
    assert found is is_kept or (found and name == "with more than was said")  # it may come later than is looked


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_what_is_no_answer_is_an_error(sent: bytes) -> None:
    """What ends too early, or is no HTTP, never passes for an answer."""
    with _peer(_says([sent])) as connection, pytest.raises(BrokenAnswerError):
        _exchange(connection)


def test_an_answer_that_drips_is_given_up() -> None:
    """The time to read is that of the whole answer, not of each piece."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        for _ in range(3000):
            if over.wait(0.01):
                return
            connection.sendall(b"X: y\r\n")
        connection.sendall(b"Content-Length: 0\r\n\r\n")

    with _peer(drip) as connection:
        try:
            with pytest.raises(TimeoutError):
                _exchange(connection, seconds=0.2)
        finally:
            over.set()


def test_an_answer_before_the_request_was_read_is_heard() -> None:
    """A server that refuses a request for its size need not read it all."""

    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

    with _peer(refuse) as connection:
        answer, is_kept = exchange(connection, b"x" * 5_000_000, send_seconds=20, read_seconds=20)
    assert (answer.status, is_kept) == (413, False)


def test_a_request_that_is_not_taken_is_given_up() -> None:
    """Sending has its own time."""
    over = threading.Event()
    with _peer(lambda _: over.wait(30)) as connection:
        try:
            with pytest.raises(TimeoutError):
                exchange(connection, b"x" * 50_000_000, send_seconds=0.2, read_seconds=20)
        finally:
            over.set()
