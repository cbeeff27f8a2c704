"""An answer as it comes over the wire, in any pieces; and what is none."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.aws.bounds import InvalidAnswerError, Room, TooLargeAnswerError
from processor.aws.http1 import exchange
from processor.aws.http_answer import Answer, BrokenAnswerError, read_answer
from tests.fakes.patience import PATIENCE_SECONDS

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
# More than any answer here has.
MOST_BYTES = 1_000_000
BROKEN = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "half a body": PLAIN[:-1],
    "half a chunk": CHUNKED + b"5\r\nhel",
    "no last chunk": CHUNKED + b"5\r\nhello\r\n",
}
LENGTHS = ["-5", "+5", "5_0", "0x5", "5 5", "5, 5", "five", "", "5" * 5000, "0" * 5000 + "5"]
CHUNKS = [
    b"-5",
    b"+5",
    b"5_0",
    b"0x5",
    b" 5",
    b"5 ",
    b"five",
    b"",
    b"5" * 5000,
    b"0" * 5000 + b"5",
    b"5;" + b"x" * 70_000,
]
INVALID = {
    "no HTTP": b"220 mail ready\r\n\r\n",
    "another HTTP": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "no name": HEAD + b"what\r\n\r\n",
    "a name that is none": HEAD + b"Content-Length : 5\r\n\r\nhello",
    "a line that goes on": HEAD + b"A: b\r\n c: d\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-length: 4\r\n\r\nhello",
    "two codings": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a length and a coding": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "another coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"4\r\nhello\r\n0\r\n\r\n",
    "more about chunks than in them": CHUNKED + (b"1;" + b"x" * 4000 + b"\r\na\r\n") * 20 + b"0\r\n\r\n",
    "trailers without an end": CHUNKED + b"0\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    "a head without an end": HEAD + b"A: b\r\n" * 100_000,
    "a header without an end": HEAD + b"A: " + b"b" * 100_000,
    "too many headers": HEAD + b"A: b\r\n" * 200 + b"\r\n",
    "answers before the answer": b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + PLAIN,
}
INVALID |= {f"length {each[:9]}": HEAD + f"Content-Length: {each}\r\n\r\nhello".encode() for each in LENGTHS}
INVALID |= {f"chunk {each[:9]!r}": CHUNKED + each + b"\r\nhello\r\n0\r\n\r\n" for each in CHUNKS}
# To code that takes whatever comes, for its test is to fail and not to fill the memory.
_MOST_SENT = 256 * 1024 * 1024
# What is said once, and then again and again for as long as anybody listens.
FLOODS = {
    "a body without an end": (HEAD + b"\r\n", b"x" * 65536),
    "chunks without an end": (CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "small chunks without an end": (CHUNKED, b"2\r\nxx\r\n" * 8192),
    "answers before the answer": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2048),
    "a head": (HEAD, b"A: b\r\n" * 8192),
    "a length": (HEAD + b"Content-Length: ", b"5" * 65536),
    "what is said about a chunk": (CHUNKED + b"5;", b"x" * 65536),
    "trailers": (CHUNKED + b"0\r\n", b"A: b\r\n" * 8192),
}
TOO_LARGE = {
    "a length": HEAD + b"Content-Length: 1000001\r\n\r\n",
    "one chunk": CHUNKED + b"F4241\r\n",
    "a body without an end": HEAD + b"\r\n" + b"x" * 1_000_001,
    "many chunks": CHUNKED + b"10000\r\n%b\r\n" % (b"x" * 65536) * 16,
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
    return exchange(
        connection, b"POST / HTTP/1.1\r\n\r\n", send_seconds=seconds, read_seconds=seconds, most_bytes=MOST_BYTES
    )


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
def test_what_ends_too_early_is_an_error(sent: bytes) -> None:
    """A part of an answer never passes for one."""
    with _peer(_says([sent])) as connection, pytest.raises(BrokenAnswerError):
        _exchange(connection)


@pytest.mark.parametrize("sent", INVALID.values(), ids=INVALID)
def test_what_is_no_answer_is_an_error(sent: bytes) -> None:
    """What breaks HTTP's rules, or can be read in two ways, never passes for an answer."""
    with _peer(_says([sent])) as connection, pytest.raises(InvalidAnswerError) as caught:
        _exchange(connection)
    assert not isinstance(caught.value, TooLargeAnswerError)


@pytest.mark.parametrize("sent", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_is_too_large_is_an_error(sent: bytes) -> None:
    """No more is read than was asked for, however it is said where the body ends."""
    with _peer(_says([sent])) as connection, pytest.raises(TooLargeAnswerError, match=r"^larger than 976\.6 KB$"):
        _exchange(connection)


def _floods(first: bytes, again: bytes, sent: list[int]) -> Callable[[socket.socket], None]:
    def speak(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            while sent[0] < _MOST_SENT:
                sent[0] += connection.send(again)

    return speak


@pytest.mark.parametrize(("first", "again"), FLOODS.values(), ids=FLOODS)
def test_a_flood_is_not_taken(first: bytes, again: bytes) -> None:
    """Whatever comes without an end is given up after a few bytes more than an answer may have."""
    sent = [0]
    with _peer(_floods(first, again, sent)) as connection:
        with pytest.raises(InvalidAnswerError):
            _exchange(connection)
        connection.close()
    assert sent[0] < 4 * MOST_BYTES  # small chunks are mostly about chunks


@pytest.mark.parametrize(("first", "again"), [FLOODS["a body without an end"], FLOODS["chunks without an end"]])
def test_time_is_over_for_a_fast_peer_too(first: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who keeps no receive waiting is given up at the deadline."""
    monkeypatch.setattr("processor.aws.http_answer.ROOM", Room(10**12))
    with _peer(_floods(first, again, [0])) as connection:
        connection.settimeout(20)
        connection.send(b"go on")
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            read_answer(connection, deadline=began + 0.01, most_bytes=10**12)
        connection.close()


def test_answers_share_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room left, one is given up; what it held is free again, and the others are read."""
    monkeypatch.setattr("processor.aws.http_answer.ROOM", Room())
    body = b"x" * (6 * 1024 * 1024)
    sent = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    outcomes: list[str] = []
    given_up = threading.Event()

    def speak(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(sent[:-1])
            given_up.wait(PATIENCE_SECONDS)
            connection.sendall(sent[-1:])

    def read() -> None:
        with _peer(speak) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.send(b"go on")
            try:
                read_answer(connection, deadline=time.monotonic() + PATIENCE_SECONDS, most_bytes=len(body))
                outcomes.append("read")
            except TooLargeAnswerError as exc:
                outcomes.append(str(exc))
                given_up.set()
            connection.close()

    for _ in range(2):
        outcomes.clear()
        given_up.clear()
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(outcomes) == {"read", "with others under way, larger than 16 MB"}
    room = Room(100)
    room.take(100)
    with pytest.raises(TooLargeAnswerError):
        room.take(1)
    room.give(100)
    room.take(100)


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
        answer, is_kept = exchange(
            connection, b"x" * 5_000_000, send_seconds=20, read_seconds=20, most_bytes=MOST_BYTES
        )
    assert (answer.status, is_kept) == (413, False)


def test_a_request_that_is_not_taken_is_given_up() -> None:
    """Sending has its own time."""
    over = threading.Event()
    with _peer(lambda _: over.wait(30)) as connection:
        try:
            with pytest.raises(TimeoutError):
                exchange(connection, b"x" * 50_000_000, send_seconds=0.2, read_seconds=20, most_bytes=MOST_BYTES)
        finally:
            over.set()
