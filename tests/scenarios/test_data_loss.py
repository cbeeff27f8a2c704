"""What can't be replicated any more is never taken for done: its shard is held, and it is said what is lost."""

from __future__ import annotations

from collections.abc import Callable

from processor.state import leases
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Exchange
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet, Pair

MakeReplicator = Callable[..., Replicator]
TRIMMED = "TrimmedDataAccessException"


def set_checkpoint(pair: Pair, sequence_number: str) -> None:
    """Move the only shard's checkpoint, as time would move the stream's oldest record."""
    (lease,) = leases.read(pair.source, pair.checkpoint_table) or []
    pair.source.update_item(
        TableName=pair.checkpoint_table,
        Key={"leaseKey": {"S": lease.shard_id}},
        UpdateExpression="SET #checkpoint = :to",
        ExpressionAttributeNames={"#checkpoint": "checkpoint"},
        ExpressionAttributeValues={":to": {"S": sequence_number}},
    )


def compact(body: bytes) -> bytes:
    """JSON without blanks, with a comma after each member."""
    return body.replace(b" ", b"").replace(b"}", b",}")


def is_after_sequence_number(exchange: Exchange) -> bool:
    """Whether an iterator after a checkpoint is asked for, not one at the oldest record."""
    return b"AFTER_SEQUENCE_NUMBER" in exchange.body


def checkpoints(pair: Pair) -> list[str | None]:
    """Of all shards."""
    return [lease.checkpoint for lease in leases.read(pair.source, pair.checkpoint_table) or []]


def test_records_trimmed_after_the_checkpoint_are_lost(pair: Pair, replicator: MakeReplicator) -> None:
    """A checkpoint before the shard's oldest record holds the shard; nothing is skipped in silence."""
    pair.put("one")
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.wait_checkpoint()
        assert running.stop() == 0
        before_the_first = "000000000000000000000"
        set_checkpoint(pair, before_the_first)
        proxy.inject(faults.error(TRIMMED), "GetShardIterator", when=is_after_sequence_number)
        running.start()
        said = f"the changes after checkpoint {before_the_first} are past the stream's 24 hours"
        until(lambda: said in running.console, "what is lost")
        assert [before_the_first] == checkpoints(pair)
        assert running.stop() == 0
        assert [before_the_first] == checkpoints(pair)


def test_an_empty_page_does_not_hide_a_loss(pair: Pair, replicator: MakeReplicator) -> None:
    """GetRecords may give an empty page though records follow: the oldest is looked for on the pages after it."""
    pair.put("one")
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.wait_checkpoint()
        assert running.stop() == 0
        set_checkpoint(pair, "000000000000000000000")
        proxy.inject(faults.error(TRIMMED), "GetShardIterator", when=is_after_sequence_number)
        proxy.inject(
            faults.empty_page(), "GetRecords", times=2, when=lambda exchange: b'"Limit":1,' in compact(exchange.body)
        )
        running.start()
        until(lambda: running.events("changes_lost"), "the loss")
        assert running.stop() == 0
        assert checkpoints(pair) == ["000000000000000000000"]


def test_a_lease_removed_before_its_shard_was_done_is_made_anew(pair: Pair, replicator: MakeReplicator) -> None:
    """Somebody deletes the row of a shard that is read: it goes on from where it was, and that is said."""
    with replicator(pair.settings) as running:
        pair.put("one")
        checkpoint = pair.wait_checkpoint()
        (lease,) = leases.read(pair.source, pair.checkpoint_table) or []
        pair.source.delete_item(TableName=pair.checkpoint_table, Key={"leaseKey": {"S": lease.shard_id}})
        until(lambda: "WARNING lease_restored" in running.console, "the lease")
        assert f"checkpoint={checkpoint}" in running.console
        pair.put("two")
        pair.wait_for("two")
        assert "changes_lost" not in running.console
        assert running.stop() == 0


def test_a_false_alarm_of_trimming_loses_nothing(pair: Pair, replicator: MakeReplicator) -> None:
    """DynamoDB Local says "trimmed" where nothing was: with the checkpoint's record still there, it goes on."""
    pair.put("one")
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.wait_checkpoint()
        proxy.inject(faults.error(TRIMMED), "GetRecords", times=1).wait(1)
        pair.put("two")
        pair.wait_for("two")
        assert running.stop() == 0
        proxy.inject(faults.error(TRIMMED), "GetShardIterator", times=1)
        running.start()
        pair.put("three")
        pair.wait_for("three")
        assert running.stop() == 0


def test_a_shard_that_is_gone_is_not_a_shard_that_is_done(pair: Pair, replicator: MakeReplicator) -> None:
    """Being told "not found" of a shard that the stream lists is no end: it is read on, and nothing is lost."""
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.put("one")
        pair.wait_checkpoint()
        proxy.inject(faults.error("ResourceNotFoundException"), "GetRecords", times=1).wait()
        pair.put("two")
        pair.wait_for("two")
        assert "changes_lost" not in running.console
        assert "SHARD_END" not in checkpoints(pair)
        assert running.stop() == 0


def test_a_deleted_source_table_is_said(pair: Pair, replicator: MakeReplicator) -> None:
    """When the table goes, what its stream still holds is replicated, and the console says that it was the last."""
    with replicator(pair.settings) as running:
        pair.put("one")
        pair.wait_for("one")
        pair.put("two")
        pair.source.delete_table(TableName=pair.source_table)
        until(lambda: "is disabled: the table was deleted" in running.console, "a line on the console")
        pair.wait_for("two")
        assert running.stop() == 0


def test_a_lease_removed_though_its_child_has_one(make_fleet: MakeFleet) -> None:
    """A child's lease says nothing of its parent's end: the parent's is made anew, and the child waits for it."""
    fleet = make_fleet(shards=1)
    fleet.simulator.put({"id": {"S": "unread"}})
    parent = fleet.simulator.open_shards()[0].id
    child = fleet.simulator.roll_over(parent).id
    fleet.simulator.put({"id": {"S": "later"}})
    busy = fleet.proxy.inject(faults.error("ThrottlingException"), "PutItem", "BatchWriteItem")
    daemon = fleet.start()
    busy.wait()
    until(lambda: fleet.lease(child), "the child's lease")
    fleet.forget(parent)
    until(lambda: daemon.events("lease_restored") or daemon.events("lease_made"), "the parent's lease")
    busy.clear()
    fleet.wait_equal()
    # A write that its child has given up may be late, as on any network.
    assert [write.key["id"]["S"] for write in fleet.proxy.writes if write.item and write.heard][-1] == "later"
    assert daemon.stop() == 0
