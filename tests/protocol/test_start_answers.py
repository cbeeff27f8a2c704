"""No single answer decides at a start what a task has been so far: what it says is missing is asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from processor.aws.clients import Clients
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.replicate.command import look_at
from processor.settings.settings import Settings
from processor.state import care_row, leases, task_row
from tests.conftest import Tables
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.network.faulty_server import Act, Exchange, Fault
from tests.fakes.task.tasks import task
from tests.fakes.task.two_way import two_way

NO_ROWS = faults.answer({"Items": [], "Count": 0, "ScannedCount": 0})
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.fixture
def names(dynamodb: DynamoDBLocal, tables: Tables, tmp_path: Path) -> dict[str, str]:
    """Settings of a task between two tables, each with a stream."""
    made = {"sourceTable": tables.create(), "destinationTable": tables.create(), "taskName": tables.name()}
    for table in (made["sourceTable"], made["destinationTable"]):
        tables.call("UpdateTable", TableName=table, StreamSpecification=STREAM)
    endpoints = {f"{side}Endpoint": dynamodb.endpoint for side in ("source", "destination", "kcl")}
    return {**made, **endpoints, "logDirectory": str(tmp_path)}


@pytest.fixture
def proxy(dynamodb: DynamoDBLocal) -> Iterator[FaultProxy]:
    """What the start takes for DynamoDB."""
    with FaultProxy(dynamodb.endpoint) as made:
        yield made


def _stream(settings: Settings) -> tuple[str, str]:
    """The ARN of the stream that a task reads, and its shard."""
    clients = Clients(settings)
    found: Any = clients.source().describe_table(TableName=settings.source_table)
    arn = str(found["Table"]["LatestStreamArn"])
    stream: Any = clients.streams().describe_stream(StreamArn=arn)
    return arn, str(stream["StreamDescription"]["Shards"][0]["ShardId"])


@pytest.mark.parametrize("act", [NO_ROWS, faults.error("ResourceNotFoundException")], ids=["empty", "not found"])
def test_an_uplink_with_checkpoints_keeps_its_first_start(
    act: Act, names: dict[str, str], proxy: FaultProxy, tmp_path: Path
) -> None:
    """Otherwise all that applications have written since it was stopped would be passed over, in silence."""
    conflicts = (tmp_path / "conflicts.jsonl").as_uri()
    mirror, uplink = two_way(**names, conflictUri=conflicts).in_directions
    client = Clients(uplink).checkpoints()
    begun = task_row.of(mirror, _stream(mirror)[0])
    arn, shard = _stream(uplink)
    task_row.write(client, mirror.task_table, structs.replace(begun, two_way_since_ms="5"), before=None)
    with LeaseTable(uplink, {shard: "w"}, checkpoints={shard: "7"}) as table:
        table.record(arn, first_start_ms="7", two_way_since_ms="5")
        fault = proxy.inject(act, "Scan", times=1)
        report = look_at(structs.replace(uplink, kcl_endpoint=proxy.endpoint), set(), machine=False)
    assert fault.met
    assert report.errors == []
    stored = task_row.read(client, uplink.task_table)
    assert stored is not None
    assert stored.first_start_ms == "7"


def test_a_replica_is_not_begun_anew_for_an_answer_without_rows(names: dict[str, str], proxy: FaultProxy) -> None:
    """Its table would be copied once more."""
    settings = task(**names, bootstrap="true")
    client = Clients(settings).checkpoints()
    arn, shard = _stream(settings)
    with LeaseTable(settings, {shard: "w"}, checkpoints={shard: "7"}) as table:
        table.record(arn)
        care_row.begin(client, settings.task_table, "in sync", before=None, now_ms=1, copy_after_ms=1)
        before = care_row.read(client, settings.task_table)
        fault = proxy.inject(NO_ROWS, "Scan", times=1)
        report = look_at(structs.replace(settings, kcl_endpoint=proxy.endpoint), set(), machine=False)
    assert fault.met
    assert report.errors == []
    assert care_row.read(client, settings.task_table) == before
    assert leases.read(client, settings.checkpoint_table)


def _another_shard(exchange: Exchange, _: Fault) -> None:
    """The answer to DescribeStream, as of a stream that has none of these shards."""
    answer = exchange.forward(exchange.body)
    content = json.loads(answer.body)
    for shard in content["StreamDescription"]["Shards"]:
        shard["ShardId"] = "shardId-another"
    exchange.reply(answer._replace(body=json.dumps(content).encode()))


def test_no_checkpoint_goes_for_one_listing_that_lacks_its_shard(names: dict[str, str], proxy: FaultProxy) -> None:
    """With ``afterLoss=copy`` all would be read, and the table copied, once more."""
    settings = task(**names, afterLoss="copy", failoverTimeMillis="1000")
    arn, shard = _stream(settings)
    with LeaseTable(settings, {shard: None}, checkpoints={shard: "7"}) as table:
        table.record(arn)
        fault = proxy.inject(_another_shard, "DescribeStream", times=1)
        report = look_at(structs.replace(settings, source_streams_endpoint=proxy.endpoint), set(), machine=False)
        assert table.rows()
    assert fault.met
    assert report.errors == []
    assert care_row.read(Clients(settings).checkpoints(), settings.task_table) is None
