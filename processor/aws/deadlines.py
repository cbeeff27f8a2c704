"""Sets one deadline for a whole call of botocore's HTTP session: from the first connect to the answer's last byte.

urllib3 has a timeout for each step: each address, each receive of a TLS handshake, of a proxy's answer, of the answer.
A server that sends two bytes now and then can keep it waiting for ever. So at the deadline the connection's socket is
shut down, and the error that urllib3 makes of that becomes a timeout. The time to resolve a name is not limited.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

_of_thread = threading.local()


class Deadline:
    """The deadline of the call that this thread makes in the ``with`` block.

    :param most_bytes: limit for the call's answer
    """

    def __init__(self, seconds: float, *, most_bytes: int) -> None:
        self.is_over = False
        self.at = time.monotonic() + seconds
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.name, self._timer.daemon = "call-deadline", True

    def __enter__(self) -> Deadline:  # noqa: PYI034  # Self came with Python 3.11
        _of_thread.current = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        _of_thread.current = None
        self._timer.cancel()
        with self._lock:
            self._let_go()

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down at the deadline; TLS may wrap it meanwhile, which takes its descriptor away."""
        handle = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._let_go()
            self._handle = handle
            if self.is_over:
                self._shut()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            self._shut()

    def _shut(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):  # it has already ended
                self._handle.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


def current() -> Deadline:
    """The deadline of the call that this thread makes.

    :raises LookupError: it makes none
    """
    found: Deadline | None = getattr(_of_thread, "current", None)
    if found is None:
        raise LookupError
    return found
