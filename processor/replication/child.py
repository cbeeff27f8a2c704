"""The process that the daemon starts for each shard lease: ``python -m processor.replication.child``.

Standard input and output are KCL's protocol. Three things could break it, and are settled before anything else runs:

1. A stray print: descriptor 1 is moved away for the protocol, and points at stderr from then on.
2. A signal to the whole process group: it is the daemon's to act on (``signals.py``). That finishes the batch in hand
   and then asks for the shutdown; this process obeys that, and the end of its input.
3. The daemon killed hard: its end of our input pipe closes while a batch may be half written. A thread waits for just
   that and ends the process, for another worker may have the shard seconds later. (Linux's parent-death signal is no
   use here: it fires when the *thread* that started us ends, and KCL's pool threads end when idle for a minute.)
"""

from __future__ import annotations

import gc
import os
import select
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from amazon_kclpy import kcl
from amazon_kclpy.v3 import processor as v3

from processor.errors import DaemonGoneError, StoppedByRefusalError
from processor.reporting import logs
from processor.reporting.console import MessageStream
from processor.reporting.logs import Log
from processor.settings.daemon_files import handed_down
from processor.state.hold_files import has_stopped, leave_exit_status
from processor.system.allocator import one_arena
from processor.system.signals import leave_to_parent

if TYPE_CHECKING:
    from processor.replication.assembly import Shared
    from processor.replication.record_processor import RecordProcessor, Shard


def end_with_daemon(gone: threading.Event, busy: threading.Event, directory: Path) -> None:
    """Wait until the daemon's end of our input is closed; end the process if a batch is being written then.

    :param directory: the daemon's own
    """
    poll = select.poll()
    poll.register(0, 0)  # only what is always reported: hang-up and error
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
        pass
    gone.set()
    if busy.is_set():
        _end_orphaned(directory)


def _end_orphaned(directory: Path) -> NoReturn:
    error = DaemonGoneError()
    if has_stopped(directory):  # it has said so itself
        Log().info("batch_given_up", note="The daemon stops, and waits for this batch no longer. " + error.consequence)
    else:
        Log().warning("orphaned", note=str(error))
    os._exit(error.exit_status)


class _WatchedProcessor(v3.RecordProcessorBase):  # type: ignore[misc]  # kclpy has no types
    """Hands kclpy's callbacks on to a shard's processor, and knows whether one of them is under way."""

    def __init__(
        self, processor: RecordProcessor, *, gone: threading.Event, busy: threading.Event, directory: Path
    ) -> None:
        self._processor = processor
        self._directory = directory
        self._gone = gone
        self._busy = busy

    def initialize(self, given: object) -> None:
        """Hand it on."""
        self._hand_on(self._processor.initialize, given)

    def process_records(self, given: object) -> None:
        """Hand it on."""
        self._hand_on(self._processor.process_records, given)

    def lease_lost(self, given: object) -> None:
        """Hand it on."""
        self._hand_on(self._processor.lease_lost, given)

    def shard_ended(self, given: object) -> None:
        """Hand it on."""
        self._hand_on(self._processor.shard_ended, given)

    def shutdown_requested(self, given: object) -> None:
        """Hand it on."""
        self._hand_on(self._processor.shutdown_requested, given)

    def _hand_on(self, callback: Callable[[object], None], given: object) -> None:
        self._busy.set()
        if self._gone.is_set():  # the watch found us idle, with this message read already
            _end_orphaned(self._directory)
        try:
            callback(given)
        finally:  # before the answer: once it has that, the daemon may close our input at any time
            self._busy.clear()


def main(shared: Shared | None = None) -> None:
    """Speak KCL's protocol until the end of input.

    :param shared: made before this process was forked, if it was
    """
    leave_to_parent()
    one_arena()
    messages = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stderr = MessageStream(sys.stderr)
    sys.stdout = sys.stderr

    # Nothing of what is made at the start is garbage; to look for some is a tenth of its CPU.
    gc.disable()
    # A second of work where hundreds of shards begin at once, so not before the streams and signals are settled.
    from processor.replication import assembly
    from processor.replication.record_processor import RecordProcessor

    settings, directory = handed_down(os.environ)
    logs.configure(form=settings.log_format)
    gone, busy = threading.Event(), threading.Event()
    threading.Thread(target=end_with_daemon, args=(gone, busy, directory), name="daemon-watch", daemon=True).start()

    def open_shard(shard_id: str) -> Shard:
        shard = assembly.open_shard(settings, shard_id, directory=directory, gone=gone, shared=shared)
        gc.freeze()  # what is there now stays
        gc.enable()
        return shard

    processor = RecordProcessor(open_shard, gone=gone, log=Log())
    watched = _WatchedProcessor(processor, gone=gone, busy=busy, directory=directory)
    try:
        kcl.KCLProcess(watched, input_file=messages, output_file=answers, error_file=sys.stderr).run()
    except SystemExit as end:
        if isinstance(end.__cause__, StoppedByRefusalError):
            leave_exit_status(directory, StoppedByRefusalError.exit_status)
        raise


if __name__ == "__main__":
    main()
