"""Limits the size of answers, by what was asked. A larger answer can't be AWS's, and is not accepted.

DynamoDB's own limits are of item sizes (API reference and "Naming rules and data types" of the developer guide), and an
item's JSON may be longer than its size: ``"a":{"NULL":true},`` has 18 bytes and counts as 2. So an answer may have nine
times the limit if any items can reach it.

======================  =========================  =====================================================================
asked                   DynamoDB's limit           here
======================  =========================  =====================================================================
GetItem, PutItem, ...   one item of 400 KB         4 MB (a condition that fails may be answered with the item)
Scan, Query,            1 MB of items              12 MB
GetRecords
BatchGetItem            16 MB of items             12 MB; if there is more, it is asked for again in smaller parts
BatchWriteItem          what was sent, at most     six times what was sent, and 256 KB
anything else           some 100 KB                4 MB (S3: 12 MB; STS, SNS and CloudWatch: 256 KB)
======================  =========================  =====================================================================

A child's calls read these as bytes. An answer that botocore makes objects of may have 4 MB, whatever the call.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_KB, _MB = 1024, 1024 * 1024
_ANY_BYTES = 4 * _MB
_OPERATIONS: Mapping[str, int] = {
    "BatchGetItem": 12 * _MB,
    "GetRecords": 12 * _MB,
    "Query": 12 * _MB,
    "Scan": 12 * _MB,
}
_SERVICES: Mapping[str, int] = {
    "cloudwatch": 256 * _KB,
    "s3": 12 * _MB,
    "sns": 256 * _KB,
    "sts": 256 * _KB,
}
# An answer repeats what was sent, with other escapes at most: "<" as "\\u003c".
_REPEATED = 6
_BATCH_WRITE_BYTES = 256 * _KB
# An answer up to this size takes no part of the room that all answers share.
FREE_BYTES = 64 * _KB
_ROOM_BYTES = 16 * _MB
# Two pages of 1 MB, one coming in and one being read.
_ROOM_BYTES_PER_CONNECTION = 2 * _MB
_USUAL_CONNECTIONS = 8
_MOST_PARSED_BYTES = 4 * _MB
# In a body that a library makes objects of. Each of these marks may cost 100 bytes: 30 MB in all. A page of 1 MB of a
# lease table has some 60,000.
_MOST_MARKS = 300_000
_MARKS: Mapping[str, tuple[bytes, ...]] = {"json": (b",", b"[", b"{"), "query": (b"<",), "rest-xml": (b"<",)}
# For a page that stays bytes: two values are at least a comma apart, so no page of 1 MB has more.
_MOST_COMMAS = 1_200_000
# The consumed capacity of a table with 25 indexes takes some hundreds of values.
_MOST_OTHER_COMMAS = 10_000


class InvalidAnswerError(Exception):
    """The answer exceeds a limit or breaks HTTP's rules, so it counts as no answer."""


class TooLargeAnswerError(InvalidAnswerError):
    """The answer is larger than an answer to this request can be."""


def most_bytes(service: str, target: str, sent_bytes: int) -> int:
    """The limit for an answer's body, in bytes.

    :param service: botocore's name of the service
    :param target: the request's ``X-Amz-Target``, or only the call's name; empty if it has none
    :param sent_bytes: the length of the request's body
    """
    operation = target.rpartition(".")[2]
    if operation == "BatchWriteItem":
        return _BATCH_WRITE_BYTES + _REPEATED * sent_bytes
    return _OPERATIONS.get(operation) or _SERVICES.get(service, _ANY_BYTES)


def check_parsed(body: bytes, protocol: str) -> None:
    """Check that a body is within the limits for bodies of which a library makes objects, many times as large.

    :param protocol: botocore's name of the protocol
    :raises InvalidAnswerError: it is not
    """
    if len(body) > _MOST_PARSED_BYTES:
        raise TooLargeAnswerError(f"larger than {shown(_MOST_PARSED_BYTES)}")
    if sum(body.count(mark) for mark in _MARKS.get(protocol, ())) > _MOST_MARKS:
        raise InvalidAnswerError("more values than AWS gives")


def has_too_many_values(page: bytes) -> bool:
    """Whether a page of items, which stay bytes, has more values than any page of 1 MB can have."""
    return page.count(b",") > _MOST_COMMAS


def has_more_values(answer: bytes, sent: bytes) -> bool:
    """Whether a write's answer has more values than were written and DynamoDB adds to them."""
    return len(answer) > FREE_BYTES and answer.count(b",") > sent.count(b",") + _MOST_OTHER_COMMAS


class Room:
    """The memory that all answers in progress may take together. Any number of threads may share it.

    An answer that finds no room is given up and asked for again, and its part becomes free for the others. So one of
    them can always go on.
    """

    def __init__(self, most: int = _ROOM_BYTES) -> None:
        self._lock = threading.Lock()
        self._most = self._left = most
        self._of_thread = threading.local()

    def widen(self, connections: int) -> None:
        """Enlarge it for a command whose settings ask for this many concurrent calls."""
        more = max(0, connections - _USUAL_CONNECTIONS) * _ROOM_BYTES_PER_CONNECTION
        with self._lock:
            most = max(self._most, _ROOM_BYTES + more)
            self._left += most - self._most
            self._most = most

    def take(self, size: int) -> None:
        """Take a part.

        :raises TooLargeAnswerError: less is free
        """
        with self._lock:
            if size > self._left:
                raise TooLargeAnswerError(f"with others under way, larger than {shown(self._most)}")
            self._left -= size

    def give(self, size: int) -> None:
        """Give a part back."""
        with self._lock:
            self._left += size

    def keep(self, size: int) -> None:
        """Give back what this thread took when its call is over; at once, if it makes no call."""
        if getattr(self._of_thread, "kept", None) is None:
            self.give(size)
        else:
            self._of_thread.kept += size

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call, from its request until nothing needs the answer's bytes any more."""
        outer, self._of_thread.kept = getattr(self._of_thread, "kept", None), 0
        try:
            yield
        finally:
            self.give(self._of_thread.kept)
            self._of_thread.kept = outer


ROOM = Room()


def shown(size: int) -> str:
    """A size for people."""
    return f"{size / _MB:.4g} MB" if size >= _MB else f"{size / _KB:.4g} KB"
