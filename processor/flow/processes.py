"""Runs the same work in several processes of this machine, which are forked from this one, and end with it.

Python's one lock lets the threads of a process use one core. A process that is forked shares what was imported, and
costs 10 to 20 MB and some milliseconds. It is joined to this one by a socket, on which it writes lines::

    process ─▶ ["figures",{…}]                what the work says
            ─▶ ["failed",["Timeout","…"]]     a call failed: whoever waits for all of them says so, once
            ─▶ ["log",[30,"event",{…}]]       a line of the log, which is written here, and once
            ─▶ ["end",null]                   or ["end",[5,"…","CopyTakenError"]]: exit status, message, class

It stops between two steps when its end of the socket has nothing more to read: because this process was told to stop,
or because it was killed. Signals are left to this process: Ctrl-C in a terminal reaches all of them. A process that is
killed is missed by the others only.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec

from processor.errors import ProcessFailedError, ReplicatorError, StoppedError
from processor.flow.outage import Outage
from processor.flow.worker_group import TICK_SECONDS
from processor.reporting import ending
from processor.reporting.logs import Log
from processor.system.signals import leave_to_parent

_READ_BYTES = 1 << 16
# The same line of several processes within this time is one line: they see the same outage, and the same denial.
_SAME_SECONDS = 60.0
# What differs between lines that say the same.
_COUNTS = frozenset({"seconds", "failures"})


class Wire:
    """A forked process's way to the one that waits for it; any thread may use it.

    :ivar number: which of the processes this is, from 0
    :ivar stop: set when the work is to end
    """

    def __init__(self, number: int, end: socket.socket) -> None:
        self.number = number
        self.stop = threading.Event()
        self._socket = end
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, name="parent-watch", daemon=True).start()

    def send(self, kind: str, value: object) -> None:
        """Tell it; if nobody is there any more, the work is to end."""
        line = msgspec.json.encode([kind, value]) + b"\n"
        with self._lock:
            try:
                self._socket.sendall(line)
            except OSError:
                self.stop.set()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            while self._socket.recv(_READ_BYTES):
                pass
        self.stop.set()


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


class _WiredLog(logging.Handler):
    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "fields", None)
        if record.exc_info and record.exc_info[0]:
            fields = {**(fields or {}), "trace": logging.Formatter().formatException(record.exc_info)}
        fields = fields or {"logger": record.name, "message": record.getMessage()}
        named = {name: value if isinstance(value, (bool, int, float)) else str(value) for name, value in fields.items()}
        event = record.msg if hasattr(record, "fields") else "library"
        self._wire.send("log", (record.levelno, event, named))


@dataclass(slots=True)
class _Process:
    number: int
    pid: int
    end: socket.socket
    received: bytes = b""
    is_stopped: bool = False
    result: tuple[int, str, str] | None = None
    has_ended: bool = False
    status: int | None = None


@dataclass(slots=True)
class Processes:
    """Processes that are forked when ``start`` is called, before this one has threads.

    :param count: their number
    :param work: runs in each of them; ``wire.stop`` ends it
    :param heard: called with the number, the kind and the value of what the work sends
    :param outage: is told what their calls say
    :param lost_by: errors of the work by which only the process is lost, as if it was killed
    """

    count: int
    work: Callable[[Wire], None]
    heard: Callable[[int, str, Any], None]
    outage: Outage
    lost_by: tuple[type[ReplicatorError], ...] = ()
    log: Log = field(default_factory=Log)
    clock: Callable[[], float] = time.monotonic
    _all: list[_Process] = field(default_factory=list)
    _said: dict[str, tuple[float, int]] = field(default_factory=dict)

    def start(self) -> None:
        """Fork them."""
        gc.collect()
        gc.freeze()  # a look for garbage writes to each object, and what is written to is shared no longer
        try:
            for number in range(self.count):
                self._fork(number)
        except BaseException:
            self.kill()
            raise
        finally:
            gc.unfreeze()

    def _fork(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Python 3.12 and later warn of threads. What may run (a role that is renewed) holds nothing of the work's.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            for each in self._all:  # or these would not see that the process which waits has ended
                each.end.close()
            ours.close()
            self._live(number, theirs)
        theirs.close()
        self._all.append(_Process(number, pid, ours))

    def _live(self, number: int, end: socket.socket) -> NoReturn:
        """The whole life of a forked process."""
        status = 1
        try:
            leave_to_parent()
            wire = Wire(number, end)
            logging.getLogger().handlers[:] = [_WiredLog(wire)]
            wire.send("end", self._result(wire))
            status = 0
        finally:
            os._exit(status)  # what the other process has opened and registered is not this one's to close

    def _result(self, wire: Wire) -> tuple[int, str, str] | None:
        try:
            self.work(wire)
        except Exception as exc:  # noqa: BLE001  # the other process raises it
            ended = ending.of(exc)
            return ended.exit_status, ended.message, type(exc).__name__
        return None

    def run(self, stop: threading.Event, tick: Callable[[], None]) -> None:
        """Wait until they have ended.

        :param stop: ends them between two steps
        :param tick: called several times a second; its failure ends them, too
        :raises StoppedError: the stop came first
        :raises ProcessFailedError: the work of one has failed, or all were killed
        """
        failure: BaseException | None = None
        with selectors.DefaultSelector() as ready:
            for each in self._all:
                ready.register(each.end, selectors.EVENT_READ, each)
            try:
                while any(each.status is None for each in self._all):
                    for key, _ in ready.select(TICK_SECONDS):
                        if not self._read(key.data):
                            ready.unregister(key.data.end)
                            self._reap(key.data)
                    try:
                        tick()
                    except Exception as exc:  # noqa: BLE001  # raised when they have ended
                        failure = failure or exc
                    if stop.is_set() or failure or self._failed():
                        self._stop()
            finally:
                self.kill()
        self._conclude(stop, failure)

    def _stop(self) -> None:
        for each in self._all:
            if not each.is_stopped and each.status is None:
                each.is_stopped = True
                with contextlib.suppress(OSError):
                    each.end.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """End those that are left, at once."""
        for each in self._all:
            if each.status is None:
                os.kill(each.pid, signal.SIGKILL)
                each.status = os.waitstatus_to_exitcode(os.waitpid(each.pid, 0)[1])
            each.end.close()

    def _read(self, process: _Process) -> bool:
        try:
            read = process.end.recv(_READ_BYTES)
        except OSError:
            read = b""
        *lines, process.received = (process.received + read).split(b"\n")
        for line in lines:
            kind, value = msgspec.json.decode(line)
            self._hear(process, kind, value)
        return bool(read)

    def _hear(self, process: _Process, kind: str, value: Any) -> None:
        if kind == "failed":
            self.outage.failed(*value)
        elif kind == "worked":
            self.outage.succeeded()
        elif kind == "log":
            self._write_log(process.number, *value)
        elif kind == "end":
            process.has_ended = True
            process.result = None if value is None else (value[0], value[1], value[2])
        else:
            self.heard(process.number, kind, value)

    def _write_log(self, number: int, level: int, event: str, fields: dict[str, object]) -> None:
        same = msgspec.json.encode([event, {name: fields[name] for name in sorted(fields) if name not in _COUNTS}])
        now = self.clock()
        at, by = self._said.get(same.decode(), (float("-inf"), number))
        if by != number and now - at < _SAME_SECONDS:
            return
        self._said[same.decode()] = now, number
        self.log.relayed(level, event, fields)

    def _reap(self, process: _Process) -> None:
        process.status = os.waitstatus_to_exitcode(os.waitpid(process.pid, 0)[1])
        if self._is_lost(process) and any(each.status is None for each in self._all):
            self.log.warning(
                "process_lost",
                process=process.pid,
                reason=_reason(process),
                note="What it had begun is taken over by the others, once its hold has lapsed. Nothing is lost.",
            )

    def _failed(self) -> Sequence[_Process]:
        """Those whose work can't go on anywhere."""
        return [each for each in self._all if each.result is not None and not self._is_lost(each)]

    def _is_lost(self, process: _Process) -> bool:
        """Whether only this process is missed: it was killed, or slept for so long that the others took over."""
        if process.result is not None:
            return process.result[2] in {each.__name__ for each in self.lost_by}
        return not process.has_ended and process.status is not None

    def _conclude(self, stop: threading.Event, failure: BaseException | None) -> None:
        failed = [each.result for each in self._failed() if each.result is not None]
        failed = [each for each in failed if each[2] != StoppedError.__name__] or failed
        if failure is not None:
            raise failure
        if failed and failed[0][2] != StoppedError.__name__:
            raise ProcessFailedError(failed[0][1], exit_status=failed[0][0])
        if stop.is_set() or failed:
            raise StoppedError
        if all(map(self._is_lost, self._all)):
            raise _all_lost(self._all)


def _reason(process: _Process) -> str:
    if process.result is not None:
        return process.result[1]
    status = process.status or 0
    return f"it was killed by signal {-status}" if status < 0 else f"it ended with {status}"


def _all_lost(processes: Sequence[_Process]) -> ReplicatorError:
    result = next((each.result for each in processes if each.result is not None), None)
    if result is not None:
        return ProcessFailedError(result[1], exit_status=result[0])
    message = (
        f"All {len(processes)} processes that did the work have ended before it was through ({_reason(processes[0])}; "
        "signal 9 may be the kernel's, where memory ran out). What was done stays done. Give the same command again."
    )
    return ProcessFailedError(message, exit_status=ReplicatorError.exit_status)
