"""One HTTP/1.1 request and its answer, on a connection that is there: one send, and mostly one receive.

urllib3 and http.client take half a millisecond for it: for connections' states, header objects and streams that a short
POST and its short answer have no use for.
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
    :param send_seconds: for the request, from its first byte to its last
    :param read_seconds: then for the answer, to its last byte
    :param most_bytes: of the answer's body
    :returns: the answer, and whether the connection may be used again
    :raises TimeoutError: no answer in time
    :raises InvalidAnswerError, BrokenAnswerError: none that could be understood, or a part of one
    :raises OSError: the connection failed
    """
    connection.settimeout(send_seconds)
    is_sent = False
    # A server may answer, and end, before it has read everything: that the request is too large, say.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(request)
        is_sent = True
    connection.settimeout(read_seconds)
    answer, is_kept = read_answer(connection, deadline=time.monotonic() + read_seconds, most_bytes=most_bytes)
    return answer, is_sent and is_kept
