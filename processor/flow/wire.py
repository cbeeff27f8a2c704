"""A forked process's way to the one that has forked it: a socket, on which each line is JSON.

``processes.py`` has the other end, and the list of what is said.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from processor.errors import StoppedError
from processor.flow import shapes
from processor.flow.outage import Outage
from processor.flow.worker_group import TICK_SECONDS
from processor.reporting.logs import Log

READ_BYTES = 1 << 16


class Wire:
    """Any thread of the forked process may use it.

    :ivar number: which of the processes this is, from 0
    :ivar stop: set when the work is to end
    """

    def __init__(self, number: int, end: socket.socket) -> None:
        self.number = number
        self.stop = threading.Event()
        self._socket = end
        self._lock = threading.Lock()
        self._asked = 0
        # Who waits for which answer; an empty line stands for the end.
        self._waiting: dict[int, SimpleQueue[bytes]] = {}
        threading.Thread(target=self._watch, name="parent-watch", daemon=True).start()

    def send(self, kind: str, value: object) -> None:
        """Tell it; if nobody is there any more, the work is to end."""
        line = msgspec.json.encode([kind, value]) + b"\n"
        with self._lock:
            try:
                self._socket.sendall(line)
            except OSError:
                self.stop.set()

    def ask(self, kind: str, value: object) -> Any:
        """Tell it, and wait until it answers.

        :returns: the answer, as JSON has it
        :raises StoppedError: the work is to end
        """
        answer: SimpleQueue[bytes] = SimpleQueue()
        with self._lock:
            self._asked += 1
            number = self._asked
            self._waiting[number] = answer
        self.send("ask", [number, kind, value])
        while True:
            with contextlib.suppress(Empty):
                line = answer.get(timeout=TICK_SECONDS)
                break
            if self.stop.is_set():  # by another thread of this process
                raise StoppedError
        if not line:
            raise StoppedError
        return msgspec.json.decode(line)

    def _watch(self) -> None:
        received = b""
        with contextlib.suppress(OSError):
            while read := self._socket.recv(READ_BYTES):
                *lines, received = (received + read).split(b"\n")
                for line in lines:
                    number, answer = shapes.decode(line, tuple[int, msgspec.Raw])
                    with self._lock:
                        waiting = self._waiting.pop(number)
                    waiting.put(bytes(answer))
        self.stop.set()
        with self._lock:
            for each in self._waiting.values():
                each.put(b"")


class WiredOutage(Outage):
    """Tells the process that waits of failures, and of the first success after them."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(Log(), "", note="")
        self._wire = wire
        self._failing = False

    def failed(self, error: str, reason: str) -> None:
        """Tell it."""
        self._failing = True
        self._wire.send("failed", (error, reason))

    def succeeded(self) -> None:
        """Tell it, if it was told of a failure."""
        if self._failing:
            self._failing = False
            self._wire.send("worked", None)


class WiredLog(logging.Handler):
    """Has the process that waits write the lines of the log."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, with the fields that ``Log`` writes."""
        fields = getattr(record, "fields", None)
        if record.exc_info and record.exc_info[0]:
            fields = {**(fields or {}), "trace": logging.Formatter().formatException(record.exc_info)}
        fields = fields or {"logger": record.name, "message": record.getMessage()}
        named = {name: value if isinstance(value, (bool, int, float)) else str(value) for name, value in fields.items()}
        event = record.msg if hasattr(record, "fields") else "library"
        self._wire.send("log", (record.levelno, event, named))
