"""What a start finds, refuses and takes over, on the real daemon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from processor.state import leases
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

MakeReplicator = Callable[..., Replicator]


def test_everything_wrong_is_said_in_one_run(pair: Pair, replicator: MakeReplicator) -> None:
    """A missing destination and a stream that is off end one start with 22; an outage is said beside them."""
    pair.source.update_table(TableName=pair.source_table, StreamSpecification={"StreamEnabled": False})
    wrong = {"destinationTable": "nowhere", "kclEndpoint": "http://127.0.0.1:9"}
    running = replicator(pair.settings | wrong).start()
    assert running.wait() == 22
    for words in ("destination table nowhere in eu-west-1: does not exist", "is off", "http://127.0.0.1:9"):
        assert words in running.console
    assert "2 things above must be put right first" in running.console


def test_another_replication_s_checkpoint_table_is_refused(
    make_pair: Callable[[], Pair], replicator: MakeReplicator
) -> None:
    """Two replications under one task name are an error, not "strange, unpredictable behavior"."""
    first, second = make_pair(), make_pair()
    first.put("one")
    with replicator(first.settings, name="first") as running:
        first.wait_for("one")
        other = replicator(second.settings | {"taskName": first.settings["taskName"]}, name="second").start()
        assert other.wait() == 22
        assert f"belongs to another replication: {first.source_table}" in other.console
        first.put("two")
        first.wait_for("two")
        assert running.stop() == 0


def test_a_stream_turned_off_and_on_is_a_gap(pair: Pair, replicator: MakeReplicator) -> None:
    """Checkpoints of an older stream refuse the start; with the checkpoint table deleted, it begins anew."""
    pair.put("one")
    with replicator(pair.settings) as running:
        pair.wait_checkpoint()
        assert running.stop() == 0
        pair.source.update_table(TableName=pair.source_table, StreamSpecification={"StreamEnabled": False})
        specification: Any = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        pair.source.update_table(TableName=pair.source_table, StreamSpecification=specification)
        running.start()
        assert running.wait() == 22
        assert "It was off in between" in running.console

        pair.source.delete_table(TableName=pair.checkpoint_table)
        pair.put("two")
        running.start()
        pair.wait_for("two")
        assert running.stop() == 0


def test_the_original_s_checkpoint_table_is_taken_over(pair: Pair, replicator: MakeReplicator) -> None:
    """On a lease table as KCL 1 wrote it, we go on behind its checkpoint: nothing replayed, nothing skipped."""
    for number in range(6):
        pair.put(f"item-{number}")
    records = _read_stream(pair, 6)
    done = 3
    pair.source.create_table(
        TableName=pair.checkpoint_table,
        KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
    )
    pair.source.put_item(
        TableName=pair.checkpoint_table,
        Item={
            "leaseKey": {"S": records[0]["shard"]},
            "checkpoint": {"S": records[done - 1]["sequence_number"]},
            "checkpointSubSequenceNumber": {"N": "0"},
            "leaseOwner": {"S": "the-java-library"},
            "leaseCounter": {"N": "321"},
            "ownerSwitchesSinceCheckpoint": {"N": "0"},
        },
    )
    with replicator(pair.settings) as running:
        pair.wait_for("item-5")
        assert {f"item-{number}" for number in range(done, 6)} == set(pair.replicated())
        (lease,) = until(lambda: _checkpointed_at(pair, records[-1]["sequence_number"]), "the last checkpoint")
        assert lease.shard_id == records[0]["shard"]
        assert running.stop() == 0


def _checkpointed_at(pair: Pair, sequence_number: str) -> list[leases.Lease]:
    found = leases.read(pair.source, pair.checkpoint_table) or []
    return [lease for lease in found if lease.checkpoint == sequence_number]


def _read_stream(pair: Pair, count: int) -> list[dict[str, str]]:
    import boto3  # here alone

    streams = boto3.client("dynamodbstreams", region_name="us-east-1", endpoint_url=pair.settings["sourceEndpoint"])
    (shard,) = streams.describe_stream(StreamArn=pair.stream_arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=pair.stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]

    def all_there() -> list[Any]:
        found: list[Any] = streams.get_records(ShardIterator=iterator)["Records"]
        return found if len(found) == count else []

    records = until(all_there, "the stream's records")
    return [{"shard": shard["ShardId"], "sequence_number": record["dynamodb"]["SequenceNumber"]} for record in records]


def test_a_worker_id_in_use_elsewhere_is_not_shared(pair: Pair, replicator: MakeReplicator) -> None:
    """A daemon whose worker id another one renews leases under, as on two machines of one name, takes another id."""
    pair.put("one")
    shared = {"workerId": "one-name-for-two", "failoverTimeMillis": "20000"}  # so that the first keeps its lease
    with replicator(pair.settings | shared, name="first") as first:
        pair.wait_checkpoint()
        with replicator(pair.settings | shared, name="second") as second:
            until(lambda: "is in use by another daemon" in second.console, "another worker id")
            pair.put("two")
            pair.wait_for("two")
            (lease,) = leases.read(pair.source, pair.checkpoint_table) or []
            assert lease.owner == "one-name-for-two"
            assert second.stop() == 0
        assert first.stop() == 0
