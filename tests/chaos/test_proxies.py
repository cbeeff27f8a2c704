"""What the proxies put into the journal, on DynamoDB Local."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.chaos.journal import FENCE, Applied, Checkpointed, Entry, Journal, Taken, digest
from tests.chaos.proxies import CheckpointProxy, DestinationProxy
from tests.conftest import REGION, Tables
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import until


def client(proxy: FaultProxy) -> boto3.client:
    """A client of some machine's."""
    return boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=proxy.endpoint,
        aws_access_key_id="machine7",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def item(number: int, key: str = "k") -> dict[str, dict[str, str]]:
    """An item as the workload writes them, as far as a proxy looks."""
    return {"id": {"S": key}, "write": {"N": str(number)}}


def fields(entry: Entry) -> tuple[object, ...]:
    """What a write was."""
    assert isinstance(entry, Applied)
    return entry.machine, entry.key, entry.number, entry.fence, entry.moot


@pytest.fixture
def table(tables: Tables) -> str:
    """A table with the key ``id``."""
    return tables.create()


@pytest.fixture
def journal() -> Journal:
    """An empty one."""
    return Journal()


@pytest.fixture
def destination(dynamodb: DynamoDBLocal, table: str, journal: Journal) -> Iterator[DestinationProxy]:
    """In front of the table."""
    with DestinationProxy(dynamodb.endpoint, table, journal) as proxy:
        yield proxy


def test_each_write_is_noted_with_who_made_it(destination: DestinationProxy, table: str, journal: Journal) -> None:
    """Single ones, those of a batch that were done, and those whose answer was lost; a refused one is none."""
    ours = client(destination)
    ours.put_item(TableName=table, Item=item(1))
    ours.delete_item(TableName=table, Key={"id": {"S": "k"}})
    with pytest.raises(ClientError):
        ours.put_item(TableName=table, Item={"write": {"N": "2"}})
    destination.inject(faults.unprocessed(1), "BatchWriteItem", times=1)
    requests = [{"PutRequest": {"Item": item(3, "a")}}, {"PutRequest": {"Item": item(4, "b")}}]
    ours.batch_write_item(RequestItems={table: requests})
    assert [fields(entry) for entry in journal.entries] == [
        ("machine7", "k", 1, None, False),
        ("machine7", "k", None, None, False),
        ("machine7", "a", 3, None, False),
    ]


def test_a_fenced_write_is_noted_with_its_sequence_number(
    destination: DestinationProxy, table: str, journal: Journal
) -> None:
    """A condition that is false makes it moot; the digest is the item's without the fence."""
    ours = client(destination)

    def put(number: int, sequence: int) -> None:
        ours.put_item(
            TableName=table,
            Item=item(number) | {FENCE: {"S": f"{sequence:040d}"}},
            ConditionExpression="attribute_not_exists(#f) OR #f < :f",
            ExpressionAttributeNames={"#f": FENCE},
            ExpressionAttributeValues={":f": {"S": f"{sequence:040d}"}},
        )

    put(2, 20)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put(1, 10)
    assert [fields(entry) for entry in journal.entries] == [
        ("machine7", "k", 2, 20, False),
        ("machine7", "k", 1, 10, True),
    ]
    assert isinstance(journal.entries[0], Applied)
    assert digest(item(2)) == journal.entries[0].digest


def test_a_duplicate_is_a_write_of_its_own(destination: DestinationProxy, table: str, journal: Journal) -> None:
    """At once before the answer, or later when nobody waits for it."""
    ours = client(destination)
    destination.inject(faults.duplicate(), "PutItem", times=1)
    ours.put_item(TableName=table, Item=item(1))
    assert len(journal.entries) == 2
    late = destination.inject(faults.duplicate(later_seconds=0.2), "PutItem", times=1)
    ours.put_item(TableName=table, Item=item(2))
    ours.put_item(TableName=table, Item=item(3))
    late.wait()
    until(lambda: len(journal.entries) == 5, "the late duplicate")
    assert [entry.number for entry in journal.entries if isinstance(entry, Applied)] == [1, 1, 2, 3, 2]


def test_leases_and_checkpoints_are_noted(dynamodb: DynamoDBLocal, tables: Tables, journal: Journal) -> None:
    """As KCL writes them; a write that its condition prevents is none."""
    table = tables.create("leaseKey:S")

    def update(counter: str, **values: str) -> None:
        ours.update_item(
            TableName=table,
            Key={"leaseKey": {"S": "shard"}},
            AttributeUpdates={name: {"Value": {"S": value}, "Action": "PUT"} for name, value in values.items()},
            Expected={"leaseCounter": {"Value": {"N": counter}}},
        )

    tables.put(table, {"leaseKey": {"S": "shard"}, "leaseCounter": {"N": "1"}})
    with CheckpointProxy(dynamodb.endpoint, {table: journal}) as proxy:
        ours = client(proxy)
        update("1", leaseOwner="worker")
        update("1", checkpoint="5")
        update("1", throughputKBps="1")
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            update("2", checkpoint="6")
    taken, stored = journal.entries
    assert isinstance(taken, Taken)
    assert (taken.machine, taken.shard, taken.owner) == ("machine7", "shard", "worker")
    assert isinstance(stored, Checkpointed)
    assert (stored.machine, stored.shard, stored.checkpoint) == ("machine7", "shard", "5")


def test_what_was_sent_before_is_not_new(destination: DestinationProxy, table: str) -> None:
    """Be it answered or not; what was refused on its way was not sent."""
    fault = destination.inject(faults.error("InternalServerError"), "PutItem", when=destination.is_new, times=1)
    lost = destination.inject(faults.drop(after=True), "PutItem", when=destination.is_new)
    with pytest.raises(ClientError):
        client(destination).put_item(TableName=table, Item=item(1))
    with pytest.raises(ConnectionClosedError):
        client(destination).put_item(TableName=table, Item=item(1))
    client(destination).put_item(TableName=table, Item=item(1))
    assert (fault.met, lost.met) == (1, 1)
