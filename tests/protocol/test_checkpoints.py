"""Checkpoints that KCL does not store, and the messages at a shard's end."""

from __future__ import annotations

import pytest

from tests.conftest import Tables
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import insert
from tests.protocol.conftest import Start, item


@pytest.mark.parametrize(
    "error", ["ThrottlingException", "InvalidStateException", "KinesisClientLibDependencyException", "RuntimeException"]
)
def test_try_again(error: str, start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """A checkpoint that KCL may store later is asked for again, the batch is not written again, and it is said once."""
    daemon = start(tables.create())
    record = insert(1, item("k"))
    daemon.send_records(record)
    for _ in range(3):
        daemon.expect_checkpoint(record.sequence_number)
        daemon.answer_checkpoint(error)
    daemon.expect_checkpoint(record.sequence_number)
    daemon.answer_checkpoint()
    daemon.expect_done("processRecords")
    (delayed,) = daemon.events("checkpoint_delayed")
    assert error in delayed
    assert [item("k")] == [write.item for write in proxy.writes]


def test_lease_lost_while_checkpointing(start: Start, tables: Tables, proxy: FaultProxy) -> None:
    """After KCL's ShutdownException the shard is another worker's: no more writes or checkpoints, and no failure."""
    daemon = start(tables.create())
    daemon.send_records(insert(1, item("k")))
    daemon.expect_checkpoint(insert(1, item("k")).sequence_number)
    daemon.answer_checkpoint("ShutdownException")
    daemon.expect_done("processRecords")
    daemon.send_records(insert(2, item("later")))
    daemon.expect_done("processRecords")
    daemon.send("leaseLost")
    daemon.expect_done("leaseLost")
    daemon.close_stdin()
    daemon.expect_exit(0)
    assert [item("k")] == [write.item for write in proxy.writes]


@pytest.mark.parametrize("error", ["IllegalArgumentException", "NullPointerException"])
def test_refused(error: str, start: Start, tables: Tables) -> None:
    """A checkpoint that KCL will never store ends the child with status 5 and one message."""
    daemon = start(tables.create())
    record = insert(1, item("k"))
    daemon.send_records(record)
    daemon.expect_checkpoint(record.sequence_number)
    daemon.answer_checkpoint(error)
    daemon.expect_exit(5)
    (stopped,) = daemon.log[1:]
    assert [stopped] == daemon.events("stopped")
    assert f"{record.sequence_number}: {error}" in stopped


def test_shard_ended(start: Start, tables: Tables) -> None:
    """The shard's end is checkpointed, until it is stored: before that its children would never start."""
    daemon = start(tables.create())
    daemon.apply(insert(1, item("k")))
    daemon.send("shardEnded")
    daemon.expect_checkpoint(None)
    daemon.answer_checkpoint("ThrottlingException")
    daemon.expect_checkpoint(None)
    daemon.answer_checkpoint()
    daemon.expect_done("shardEnded")
    daemon.close_stdin()
    daemon.expect_exit(0)


@pytest.mark.parametrize("action", ["leaseLost", "shutdownRequested"])
def test_no_checkpoint_at_the_end_of_a_lease(action: str, start: Start, tables: Tables) -> None:
    """Neither a lost lease nor an orderly end makes a checkpoint: every batch has its own."""
    daemon = start(tables.create())
    daemon.apply(insert(1, item("k")))
    daemon.send(action)
    daemon.expect_done(action)
    daemon.close_stdin()
    daemon.expect_exit(0)
