"""Runs the same work in several processes of this machine, which are forked from this one, and end with it.

Python's one lock lets the threads of a process use one core. A process that is forked shares what was imported, and
costs 10 to 20 MB and some milliseconds. It is joined to this one by a socket, on which it writes lines::

    process ─▶ ["figures",{…}]                what the work says
            ─▶ ["ask",[7,"next",null]]        a question of one of its threads
            ◀─ [7,{…}]                        its answer, now or later
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
from functools import partial
from typing import Any, NoReturn

import msgspec

from processor.errors import ProcessFailedError, ReplicatorError, StoppedError
from processor.flow.outage import Outage
from processor.flow.wire import READ_BYTES, Wire, WiredLog
from processor.flow.worker_group import TICK_SECONDS
from processor.reporting import ending
from processor.reporting.logs import Log
from processor.system.signals import leave_to_parent

# Answers a question, now or later, in the thread that waits.
Reply = Callable[[object], None]
# The same line of several processes within this time is one line: they see the same outage, and the same denial.
_SAME_SECONDS = 60.0
# What differs between lines that say the same.
_COUNTS = frozenset({"seconds", "failures"})


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
    :param asked: called with the number, the kind and the value of what the work asks, and with what answers it
    :param lost: called with the number of a process that was lost
    :param lost_by: errors of the work by which only the process is lost, as if it was killed
    :param lost_note: what becomes of the work of one that is lost
    :param all_lost_note: what follows if all are
    """

    count: int
    work: Callable[[Wire], None]
    heard: Callable[[int, str, Any], None]
    outage: Outage
    asked: Callable[[int, str, Any, Reply], None] = lambda *_: None
    lost: Callable[[int], None] = lambda _: None
    lost_by: tuple[type[ReplicatorError], ...] = ()
    lost_note: str = ""
    all_lost_note: str = ""
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
            logging.getLogger().handlers[:] = [WiredLog(wire)]
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

    def run(self, stop: threading.Event, tick: Callable[[], None], until: Callable[[], bool] = lambda: False) -> None:
        """Wait until they have ended.

        :param stop: ends them between two steps
        :param tick: called several times a second; its failure ends them, too
        :param until: ends the wait before, and leaves them at work
        :raises StoppedError: the stop came first
        :raises ProcessFailedError: the work of one has failed, or all were killed
        """
        failure: BaseException | None = None
        with selectors.DefaultSelector() as ready:
            for each in self._all:
                if each.status is None:
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
                    elif until():
                        return
            except BaseException:
                self.kill()
                raise
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
            read = process.end.recv(READ_BYTES)
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
        elif kind == "ask":
            number, asked, about = value
            self.asked(process.number, asked, about, partial(self._reply, process, number))
        elif kind == "log":
            self._write_log(process.number, *value)
        elif kind == "end":
            process.has_ended = True
            process.result = None if value is None else (value[0], value[1], value[2])
        else:
            self.heard(process.number, kind, value)

    @staticmethod
    def _reply(process: _Process, number: int, answer: object) -> None:
        with contextlib.suppress(OSError):  # it has ended, or is told to end
            process.end.sendall(msgspec.json.encode([number, answer]) + b"\n")

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
                note=self.lost_note,
            )
        if self._is_lost(process):
            self.lost(process.number)

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
            raise self._all_lost()

    def _all_lost(self) -> ReplicatorError:
        result = next((each.result for each in self._all if each.result is not None), None)
        if result is not None:
            return ProcessFailedError(result[1], exit_status=result[0])
        message = (
            f"All {len(self._all)} processes that did the work have ended before it was through "
            f"({_reason(self._all[0])}; signal 9 may be the kernel's, where memory ran out). {self.all_lost_note}"
        )
        return ProcessFailedError(message, exit_status=ReplicatorError.exit_status)


def _reason(process: _Process) -> str:
    if process.result is not None:
        return process.result[1]
    status = process.status or 0
    return f"it was killed by signal {-status}" if status < 0 else f"it ended with {status}"
