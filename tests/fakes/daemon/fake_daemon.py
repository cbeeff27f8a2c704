"""A child as a real process, and KCL's side of its pipes.

The messages have the shapes of KCL's own (``software.amazon.kinesis.multilang.messages``). It is stricter than KCL,
which skips lines that it can't read: anything on the child's standard output but the protocol fails the test. So does
whatever takes longer than ``PATIENCE_SECONDS``.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NoReturn

import msgspec

from processor.metrics.shard_files import DIRECTORY as METRICS_DIRECTORY
from processor.replication.lease_term import DIRECTORY
from processor.settings.daemon_files import SETTINGS_VARIABLE, shard_file_name
from processor.settings.settings import Settings
from processor.state.hold_files import DIRECTORY as HOLD_DIRECTORY
from processor.state.hold_files import EXIT_STATUS
from tests.fakes.daemon.forked_child import NurseryClient
from tests.fakes.daemon.log_line import reporting
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.stream_record import StreamRecord, joined

if TYPE_CHECKING:
    from typing_extensions import Self

# What a wrong line would need to get from the child to us; it only makes a bug more likely to be seen.
_SILENCE_SECONDS = 0.1
SHARD_ID = "shardId-00000001700000000000-abcdef01"


class FakeDaemon:
    """Starts the child for one shard; leaving the context ends it, whatever it does.

    :param script: run this instead of ``-m processor.replication.child``
    :param environment: the child's, but for the settings; by default our own
    :param forked: from a nursery, as a daemon's are, and not as a program of its own
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        script: Path | None = None,
        environment: Mapping[str, str] | None = None,
        forked: bool = False,
    ) -> None:
        file = folder / "child.json"
        file.write_bytes(msgspec.json.encode(settings))
        for made in (DIRECTORY, HOLD_DIRECTORY, METRICS_DIRECTORY):
            (folder / made).mkdir(exist_ok=True)
        self._term = folder / DIRECTORY / shard_file_name(SHARD_ID)
        self._holds = folder / HOLD_DIRECTORY
        self.renew(hours=1)
        made_of = {**(os.environ if environment is None else environment), SETTINGS_VARIABLE: str(file)}
        self._nursery = NurseryClient(folder, made_of) if forked else None
        self.child = (
            self._nursery.fork(1)
            if self._nursery
            else subprocess.Popen(
                [sys.executable, "-I", *([str(script)] if script else ["-m", "processor.replication.child"])],
                cwd=Path(sys.executable).parent,
                env=made_of,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        self._log = bytearray()
        self._logged = threading.Condition()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._asked: dict[str, Any] = {}
        self._readers = [
            threading.Thread(target=self._read_answers, args=(self.child.stdout,)),
            threading.Thread(target=self._read_log),
        ]
        for reader in self._readers:
            reader.start()

    # --- what KCL says -----------------------------------------------------------------------------------------------

    def initialize(self, checkpoint: str = "TRIM_HORIZON") -> None:
        """Give it the shard, and wait until it has it."""
        self.send("initialize", shardId=SHARD_ID, sequenceNumber=checkpoint, subSequenceNumber=0)
        self.expect_done("initialize")

    def send_records(self, *records: StreamRecord) -> None:
        """A batch."""
        self.write(self.batch(*records))

    def batch(self, *records: StreamRecord) -> bytes:
        """The line that is a batch: one record of KCL's, see ``Page.java``."""
        if not records:
            return _line(action="processRecords", records=[], millisBehindLatest=0)
        found = {
            "data": base64.b64encode(joined(record.data for record in records)).decode(),
            "partitionKey": records[-1].sequence_number,
            "sequenceNumber": records[-1].sequence_number,
            "approximateArrivalTimestamp": 1_700_000_000_000,
            "subSequenceNumber": 0,
            "action": "record",
        }
        return _line(action="processRecords", records=[found], millisBehindLatest=0)

    def apply(self, *records: StreamRecord) -> None:
        """A batch for which all goes well: sent, checkpointed at its last record, done."""
        self.send_records(*records)
        self.expect_checkpoint(records[-1].sequence_number)
        self.answer_checkpoint()
        self.expect_done("processRecords")

    def answer_checkpoint(self, error: str | None = None) -> None:
        """The checkpoint asked for is stored, or ``error``, one of KCL's exceptions, prevents it."""
        self.send("checkpoint", **self._asked, error=error)

    def send(self, action: str, **fields: Any) -> None:
        """Any message."""
        self.write(_line(action=action, **fields))

    def write(self, data: bytes) -> None:
        """Bytes to the child's standard input."""
        assert self.child.stdin is not None
        pipe = self.child.stdin.fileno()
        os.set_blocking(pipe, False)
        while data:
            if not select.select([], [pipe], [], PATIENCE_SECONDS)[1]:
                self._fail("the child does not read its input")
            data = data[os.write(pipe, data) :]

    def close_stdin(self) -> None:
        """What the child sees of a daemon that ends, in whatever way."""
        assert self.child.stdin is not None
        self.child.stdin.close()

    def renew(self, *, hours: float, term: bytes = b"0" * 16) -> None:
        """The lease's term lasts so long from now, as ``LeaseTerms.java`` writes it."""
        wall_ms, monotonic_ns = int((time.time() + hours * 3600) * 1000), time.monotonic_ns() + int(hours * 3600e9)
        write_term(self._term, term, wall_ms, monotonic_ns)

    def end_term(self) -> None:
        """The lease is another's now, as ``LeaseTerms.java`` says it."""
        write_term(self._term, bytes(16), 0, 0)

    # --- what the child says -----------------------------------------------------------------------------------------

    def expect_checkpoint(self, sequence_number: str | None) -> None:
        """It asks for a checkpoint there; None is the shard's end."""
        message = self.receive()
        self._asked = {"sequenceNumber": sequence_number, "subSequenceNumber": None}
        assert {"action": "checkpoint", **self._asked} == message

    def asks_to_be_read_again(self) -> bool:
        """Whether it wants the shard's lease to be given up; the mark is taken away, as the daemon does."""
        mark = self._holds / f"{shard_file_name(SHARD_ID)}.again"
        found = mark.exists()
        mark.unlink(missing_ok=True)
        return found

    def exit_status(self) -> str:
        """That which it has left for the daemon."""
        return (self._holds / EXIT_STATUS).read_text()

    def expect_done(self, action: str) -> None:
        """It has done what it was asked to."""
        assert {"action": "status", "responseFor": action} == self.receive()

    def expect_silence(self) -> None:
        """It lives and has said nothing."""
        try:
            line = self._lines.get(timeout=_SILENCE_SECONDS)
        except queue.Empty:
            return
        self._fail(f"expected nothing from the child, got {line or 'its end'}")

    def expect_exit(self, *statuses: int, within_seconds: float = PATIENCE_SECONDS) -> None:
        """It ends with one of these, without another line of the protocol."""
        try:
            ended = self.child.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self._fail(f"the child still runs after {within_seconds} s")
        self._join()
        line = self._lines.get(timeout=PATIENCE_SECONDS)
        if line is not None or ended not in statuses:
            self._fail(f"the child ended with {ended} instead of {statuses}, its last answer is {line}")

    def receive(self) -> Any:
        """The next message."""
        try:
            line = self._lines.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            self._fail("the child does not answer")
        if line is None:
            self._fail(f"the child ended with {self.child.wait(PATIENCE_SECONDS)} instead of an answer")
        try:
            return json.loads(line)
        except ValueError:
            self._fail(f"the child wrote {line!r}, which is no message of the protocol")

    @property
    def log(self) -> list[str]:
        """The lines so far, with those that the child wrote just before what was last heard of it."""
        with self._logged:
            while self._take_log(wait=False):
                pass
            whole = self._log.rpartition(b"\n")[0]
        return whole.decode().split("\n") if whole else []

    def events(self, name: str) -> list[str]:
        """The lines so far that report this event."""
        return reporting(self.log, name)

    def wait_for_event(self, name: str, count: int = 1) -> None:
        """Until it has reported an event ``count`` times."""
        with self._logged:
            if not self._logged.wait_for(lambda: len(self.events(name)) >= count, timeout=PATIENCE_SECONDS):
                self._fail(f"not {count} times {name} in the log")

    # --- its end -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()
        self.child.wait()
        self._join()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            assert pipe is not None
            pipe.close()
        if self._nursery is not None:
            self._nursery.close()

    def _join(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))

    def _read_answers(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            if line.strip():  # kclpy puts an empty line before each of its own
                self._lines.put(line.decode().strip())
        self._lines.put(None)

    def _read_log(self) -> None:
        while self._take_log(wait=True):
            pass

    def _take_log(self, *, wait: bool) -> bool:
        """Read what is there; false at the log's end, or where nothing is there and that is not to be waited for."""
        assert self.child.stderr is not None
        pipe = self.child.stderr.fileno()
        if wait:
            select.select([pipe], [], [])
        with self._logged:
            if not select.select([pipe], [], [], 0)[0]:
                return wait  # it was taken meanwhile
            found = os.read(pipe, 65536)
            self._log += found
            self._logged.notify_all()
        return bool(found)

    def _fail(self, what: str) -> NoReturn:
        raise AssertionError("\n".join([f"{what}; its log:", *self.log]))


def write_term(file: Path, term: bytes, wall_end_ms: int, monotonic_end_ns: int) -> None:
    """Note a lease's term in place, as the daemon does: whoever reads meanwhile never finds the file empty."""
    with file.open("r+b" if file.exists() else "wb") as opened:
        opened.write(struct.pack(">16sqq", term, wall_end_ms, monotonic_end_ns))


def _line(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"
