"""The child as a process: its end, signals, and its standard output."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest

from processor.state import hold_files
from tests.conftest import Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.stream_record import insert
from tests.protocol.conftest import MODES, Start, item, items

ORPHANED = 6
# Less than a call is waited for (see ``conftest.py``): a child that isn't gone by now waits for the end of one.
GONE_SECONDS = 60.0
BATCH = [insert(number, each) for number, each in enumerate(items(200))]


@pytest.fixture(params=[True, False], ids=["forked", "alone"])
def start(request: pytest.FixtureRequest, start: Start) -> Start:
    """Each child in both ways of starting one; one with a script of its own is alone in any case."""
    return partial(start, forked=request.param)


def test_end_of_input(start: Start, tables: Tables) -> None:
    """The end of input while it has nothing to do ends it, cleanly and without a word."""
    daemon = start(tables.create())
    daemon.apply(insert(1, item("k")))
    daemon.close_stdin()
    daemon.expect_exit(0)
    assert not daemon.log[1:]  # the first says that it started


@pytest.mark.parametrize("mode", MODES)
def test_daemon_gone_during_a_write(mode: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """The daemon dies while the destination takes its time: the child is gone at once, and makes no other write."""
    daemon = start(tables.create(), writeMode=mode, applyThreads="2")
    held = proxy.inject(faults.hold())
    daemon.send_records(*BATCH)
    held.wait(2)
    daemon.close_stdin()
    daemon.expect_exit(ORPHANED, within_seconds=GONE_SECONDS)
    two = 2
    assert two == proxy.received.total()
    assert not proxy.writes
    assert daemon.events("orphaned")


def test_a_daemon_that_stops_is_not_taken_for_killed(
    start: Start, tables: Tables, proxy: FaultProxy, tmp_path: Path
) -> None:
    """Its stop waits no longer than it may, and it has said so: nobody has to act on the child's word."""
    daemon = start(tables.create())
    held = proxy.inject(faults.hold())
    daemon.send_records(*BATCH)
    held.wait()
    (tmp_path / hold_files.DIRECTORY / hold_files.STOPPED).touch()
    daemon.close_stdin()
    daemon.expect_exit(ORPHANED, within_seconds=GONE_SECONDS)
    assert daemon.events("batch_given_up")
    assert not daemon.events("orphaned")


@pytest.mark.parametrize("size", [1, 200])
def test_daemon_gone_between_tries(size: int, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """The daemon dies while the destination is throttling: the child is gone at once."""
    daemon = start(tables.create())
    throttled = proxy.inject(faults.error("ThrottlingException"))
    daemon.send_records(*BATCH[:size])
    throttled.wait(5)
    daemon.close_stdin()
    daemon.expect_exit(ORPHANED, within_seconds=GONE_SECONDS)
    assert not proxy.writes


def test_daemon_gone_during_a_checkpoint(start: Start, tables: Tables) -> None:
    """The daemon dies before it answers a checkpoint: the child is gone at once, and does not say that it is done."""
    daemon = start(tables.create())
    daemon.send_records(BATCH[0])
    daemon.expect_checkpoint(BATCH[0].sequence_number)
    daemon.close_stdin()
    daemon.expect_exit(ORPHANED, within_seconds=GONE_SECONDS)


def test_daemon_gone_while_a_message_is_read(start: Start, tables: Tables, proxy: FaultProxy, tmp_path: Path) -> None:
    """The daemon dies just after it sent a batch: what is read of it after that is not written any more."""
    script = tmp_path / "slow_reader.py"
    script.write_text(
        "import threading\n"
        "from amazon_kclpy import kcl\n"
        "from processor.replication import child\n"
        "load = kcl._IOHandler.load_action\n"
        "def after_the_daemon(self, line):\n"
        "    if 'processRecords' in line:\n"
        "        for thread in threading.enumerate():\n"
        "            if thread.name == 'daemon-watch':\n"
        "                thread.join(300)\n"
        "    return load(self, line)\n"
        "kcl._IOHandler.load_action = after_the_daemon\n"
        "child.main()\n"
    )
    daemon = start(tables.create(), script=script)
    daemon.send_records(*BATCH)
    daemon.close_stdin()
    daemon.child.wait(PATIENCE_SECONDS)
    assert not proxy.received
    daemon.expect_exit(ORPHANED)


def test_half_a_message(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """The daemon dies while it sends a batch: nothing of that is applied."""
    daemon = start(tables.create())
    daemon.write(daemon.batch(*BATCH)[:-1000])
    daemon.close_stdin()
    daemon.child.wait(PATIENCE_SECONDS)
    assert not proxy.received


def test_signals_are_the_daemons(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """SIGINT and SIGTERM, which a terminal and a service manager send to all processes, do not end a batch."""
    table = tables.create()
    daemon = start(table)
    held = proxy.inject(faults.hold(), times=1)
    daemon.send_records(BATCH[0])
    held.wait()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        daemon.child.send_signal(number)
    held.clear()
    daemon.expect_checkpoint(BATCH[0].sequence_number)
    daemon.answer_checkpoint()
    daemon.expect_done("processRecords")
    daemon.child.send_signal(signal.SIGTERM)
    daemon.apply(BATCH[1])
    assert items(2) == tables.items(table)


def test_stray_output(start: Start, tables: Tables, tmp_path: Path) -> None:
    """Whatever else is written to standard output, by Python or below it, goes to the log and not into the protocol."""
    script = tmp_path / "noisy.py"
    script.write_text(
        "import os, subprocess, sys\n"
        "from processor.replication import apply, child\n"
        "real = apply.Applier.apply\n"
        "def noisy(self, changes):\n"
        "    print('stray print')\n"
        "    print('stray original', file=sys.__stdout__, flush=True)\n"
        '    os.write(1, b\'{"action":"status","responseFor":"processRecords"}\\n\')\n'
        "    subprocess.run(['echo', 'stray child'], check=True)\n"
        "    return real(self, changes)\n"
        "apply.Applier.apply = noisy\n"
        "child.main()\n"
    )
    daemon = start(tables.create(), script=script)
    daemon.apply(*BATCH[:2])
    daemon.apply(*BATCH[2:4])
    daemon.close_stdin()
    daemon.expect_exit(0)
    stray = ["stray child", "stray original", "stray print", '{"action":"status","responseFor":"processRecords"}']
    assert stray == sorted({line for line in daemon.log if line.startswith(("stray", "{"))})
