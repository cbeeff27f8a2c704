"""What can't be replicated any more is never taken for done: each ends the daemon with 5 and says what is lost."""

from __future__ import annotations

from collections.abc import Callable

from processor import leases
from tests.fakes import faults
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.patience import until
from tests.fakes.replicator import Replicator
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


def checkpoints(pair: Pair) -> list[str | None]:
    """Of all shards."""
    return [lease.checkpoint for lease in leases.read(pair.source, pair.checkpoint_table) or []]


def test_records_trimmed_after_the_checkpoint_are_lost(pair: Pair, replicator: MakeReplicator) -> None:
    """A checkpoint before the shard's oldest record ends the start with 5; nothing is skipped in silence."""
    pair.put("one")
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.wait_checkpoint()
        assert running.stop() == 0
        before_the_first = "000000000000000000000"
        set_checkpoint(pair, before_the_first)
        proxy.inject(faults.error(TRIMMED), "GetShardIterator", times=1)
        running.start()
        assert running.wait() == 5
        assert f"the changes after checkpoint {before_the_first} are past the stream's 24 hours" in running.console
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
        proxy.inject(faults.error(TRIMMED), "GetShardIterator", times=1)
        proxy.inject(
            faults.empty_page(), "GetRecords", times=2, when=lambda exchange: b'"Limit":1,' in compact(exchange.body)
        )
        running.start()
        assert running.wait() == 5
        assert checkpoints(pair) == ["000000000000000000000"]


def test_a_lease_removed_before_its_shard_was_done_is_a_loss(pair: Pair, replicator: MakeReplicator) -> None:
    """The adapter removes leases of shards past their 24 hours, read or not: that is no mere handover."""
    with replicator(pair.settings) as running:
        pair.put("one")
        pair.wait_checkpoint()
        (lease,) = leases.read(pair.source, pair.checkpoint_table) or []
        pair.source.delete_item(TableName=pair.checkpoint_table, Key={"leaseKey": {"S": lease.shard_id}})
        assert running.wait() == 5
        assert running.console.count("its lease was removed before all of it was applied") == 1


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
    """Being told "not found" of a shard being read ends with 5; its checkpoint does not become SHARD_END."""
    with (
        FaultProxy(pair.settings["sourceEndpoint"]) as proxy,
        replicator(pair.settings | {"sourceStreamsEndpoint": proxy.endpoint}) as running,
    ):
        pair.put("one")
        checkpoint = pair.wait_checkpoint()
        proxy.inject(faults.error("ResourceNotFoundException"), "GetRecords", times=1)
        assert running.wait() == 5
        assert "no longer has a shard being read" in running.console
        assert [checkpoint] == checkpoints(pair)


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
    """A child's lease says nothing of its parent's end: the first start makes leases for both, read or not."""
    fleet = make_fleet(shards=1)
    fleet.simulator.put({"id": {"S": "unread"}})
    parent = fleet.simulator.open_shards()[0].id
    child = fleet.simulator.roll_over(parent).id
    busy = fleet.proxy.inject(faults.error("ThrottlingException"), "PutItem")
    daemon = fleet.start()
    busy.wait()
    assert fleet.lease(child) is not None
    fleet.forget(parent)
    assert daemon.wait() == 5
    assert f"Shard {parent}: its lease was removed before all of it was applied" in daemon.console
