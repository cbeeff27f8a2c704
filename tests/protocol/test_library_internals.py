"""botocore and urllib3 may change inside: calls then go the public way, and that is said once."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from processor.aws import internals
from processor.aws.clients import Clients
from processor.aws.direct_calls import DirectCalls, direct_calls
from processor.aws.timeouts import WriteTimeouts
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.demo.workload import create_table
from processor.dynamodb.reader import ReadableTable
from processor.replication.writer import WritableTable
from processor.reporting import changed_libraries
from tests.fakes.dynamodb.changes import delete, put
from tests.fakes.task import tasks

# What is not there in another release, and what it looks like where it is something else.
BROKEN = dict.fromkeys(internals.MEMBERS, "_of_another_release") | {"a client's calls": "meta"}


@pytest.fixture(autouse=True)
def unsaid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test is a process that has said nothing yet, and leaves nothing open."""
    monkeypatch.setattr(changed_libraries, "_said", set())
    yield
    gc.collect()


@pytest.mark.parametrize("what", internals.MEMBERS)
def test_a_member_that_is_gone_stops_nothing(
    what: str, dynamodb: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Tables are written and read as ever; the event names the member."""
    endpoint = dynamodb.endpoint
    monkeypatch.setitem(internals.MEMBERS, what, BROKEN[what])
    client = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=endpoint)
    name = f"internals-{list(internals.MEMBERS).index(what)}"
    create_table(client, name, stream=False)
    table = WritableTable(
        name, region="eu-west-1", endpoint=endpoint, connections=2, timeouts=WriteTimeouts.within(60.0)
    )
    for _ in range(2):
        assert table.write_batch([put("a", 1), put("b", 1)]) == []
        assert table.write_one(delete("b"))
    WritableTable(name, region="eu-west-1", connections=2, timeouts=WriteTimeouts.within(60.0)).connect()
    settings = tasks.task(destinationEndpoint=endpoint, destinationRegion="eu-west-1")
    reader = ReadableTable(name, region="eu-west-1", connect=Clients(settings).destination)
    found = reader.get(put("a", 1).key)
    assert found is not None
    assert json.loads(bytes(found))["id"] == {"S": "a"}
    assert reader.get(put("b", 1).key) is None
    said = [record.fields["member"] for record in caplog.records if record.getMessage() == "library_changed"]  # type: ignore[attr-defined]  # our Log's
    assert len(said) == 1
    assert what in said[0]


def test_nothing_is_said_of_the_releases_that_are_pinned(
    dynamodb: DynamoDBLocal, caplog: pytest.LogCaptureFixture
) -> None:
    """They are as they are expected to be, so calls are made directly."""
    client: Any = Clients(tasks.task(destinationEndpoint=dynamodb.endpoint)).destination()
    calls = direct_calls(client, operation="BatchWriteItem", parameters={"RequestItems": {"t": []}})
    assert isinstance(calls, DirectCalls)
    assert "library_changed" not in caplog.messages
