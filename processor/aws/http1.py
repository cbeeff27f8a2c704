"""Sends one HTTP/1.1 request on an open connection and reads its answer: one send, and mostly one receive.

urllib3 and http.client take half a millisecond for that, because of connection states, header objects and streams that
a short POST and its short answer don't need.
"""

from __future__ import annotations

import contextlib
import socket
import time

from processor.aws.http_answer import Answer, read_answer


def exchange(
    connection: socket.socket, request: bytes, *, send_seconds: float, read_seconds: float, most_bytes: int
) -> tuple[Answer, bool]:
    """Send a request and read its answer.

    :param request: head and body
    :param send_seconds: time for the request, from its first byte to its last
    :param read_seconds: time for the answer after that, to its last byte
    :param most_bytes: limit for the answer's body
    :returns: the answer, and whether the connection may be used again
    :raises TimeoutError: no answer in time
    :raises InvalidAnswerError, BrokenAnswerError: the answer can't be understood, or is incomplete
    :raises OSError: the connection failed
    """
    connection.settimeout(send_seconds)
    is_sent = False
    # A server may answer and close before it has read everything, for example because the request is too large.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(request)
        is_sent = True
    connection.settimeout(read_seconds)
    answer, is_kept = read_answer(connection, deadline=time.monotonic() + read_seconds, most_bytes=most_bytes)
    return answer, is_sent and is_kept
