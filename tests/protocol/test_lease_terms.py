"""A child whose lease runs out or is taken while a batch is in hand."""

from __future__ import annotations

import pytest

from tests.conftest import Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import insert
from tests.protocol.conftest import MODES, Start, items

BATCH = [insert(number, each) for number, each in enumerate(items(200))]
TAKEN = b"2" * 16


@pytest.mark.parametrize("mode", MODES)
def test_a_lease_taken_during_a_batch(mode: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """Calls on their way end, no other begins, nothing is checkpointed, and the batches after it are left alone."""
    daemon = start(tables.create(), writeMode=mode, applyThreads="2")
    held = proxy.inject(faults.hold())
    daemon.send_records(*BATCH)
    held.wait(2)
    daemon.renew(hours=1, term=TAKEN)
    held.clear()
    daemon.expect_done("processRecords")
    daemon.send_records(*BATCH)
    daemon.expect_done("processRecords")
    two = 2
    assert two == proxy.received.total()
    assert daemon.events("lease_lost")


def test_a_lease_that_runs_out_and_is_renewed_after_all(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """While it isn't known to be ours nothing is written; then the batch goes on, and is checkpointed."""
    table = tables.create()
    daemon = start(table)
    daemon.renew(hours=-1)
    daemon.send_records(*BATCH)
    daemon.expect_silence()
    assert not proxy.received
    daemon.renew(hours=1)
    daemon.expect_checkpoint(BATCH[-1].sequence_number)
    daemon.answer_checkpoint()
    daemon.expect_done("processRecords")
    assert len(BATCH) == len(tables.items(table))


def test_an_answer_that_takes_longer_than_a_call_may(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """The call is given up and made again: a lease could be over before an answer that is waited for without end."""
    table = tables.create()
    daemon = start(table, failoverTimeMillis="4000")
    late = proxy.inject(faults.hold(), times=1)
    daemon.send_records(*BATCH[:3])
    late.wait()
    daemon.expect_checkpoint(BATCH[2].sequence_number)
    assert daemon.events("writes_delayed")
