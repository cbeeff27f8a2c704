"""Answers that are none of DynamoDB's, to every call of every command: a message and a decided end, never a fault."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import pytest
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processor.aws import clients
from processor.cli import main
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.conftest import REGION, Tables
from tests.fakes.machine.as_process import as_process
from tests.fakes.network import garbage
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.policies import limit_commands

# Everything that each command asks for.
CALLS: Mapping[str, Sequence[str]] = {
    "check": ("DescribeTable", "DescribeStream", "DescribeTimeToLive", "Scan", "GetItem"),
    "copy": ("DescribeTable", "Scan", "GetItem", "PutItem", "UpdateItem", "CreateTable", "BatchWriteItem"),
    "verify": ("DescribeTable", "DescribeTimeToLive", "Scan", "BatchGetItem"),
    "status": ("DescribeTable", "DescribeStream", "GetItem", "Scan", "GetShardIterator", "GetRecords", "BatchGetItem"),
}
EACH = [(command, operation) for command, operations in CALLS.items() for operation in operations]
SECRET = "hush-hush"
# What each command may end with: README.md's list.
DECIDED = {"check": {0, 5, 22}, "copy": {0, 5, 22}, "verify": {0, 1, 5, 22}, "status": {0, 1, 5}}


# Kinds of bad answers that each call of a command meets; dealt out, so that each kind has its turn several times.
KINDS_EACH = int(os.environ.get("BAD_ANSWERS", "2"))


def _share(number: int) -> list[str]:
    names = list(garbage.ALWAYS)
    return [names[(number * KINDS_EACH + each) % len(names)] for each in range(KINDS_EACH)]


class Stage:
    """Two tables behind a proxy, and commands run on them."""

    def __init__(self, tables: Tables, proxy: FaultProxy) -> None:
        self.tables, self.proxy = tables, proxy
        self.source, self.destination = tables.create(), tables.create()
        tables.call(
            "UpdateTable",
            TableName=self.source,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        for number in range(3):
            tables.put(self.source, {"id": {"S": str(number)}, "n": {"N": "1"}, "secret": {"S": SECRET}})
        self.task = tables.name()
        lease = {"leaseKey": {"S": "shardId-0"}, "checkpoint": {"S": "TRIM_HORIZON"}, "leaseCounter": {"N": "1"}}
        table = f"DynamoDBCrossRegionReplication{self.task}"
        tables.create("leaseKey:S", name=table)
        tables.put(table, lease | {"leaseOwner": {"S": "someone"}})

    def run(self, command: str) -> int:
        """Returns the exit status."""
        given = {
            "sourceRegion": REGION,
            "sourceTable": self.source,
            "sourceEndpoint": self.proxy.endpoint,
            "destinationRegion": REGION,
            "destinationTable": self.destination,
            "destinationEndpoint": self.proxy.endpoint,
            "taskName": self.tables.name() if command == "copy" else self.task,
            # status waits so long to know whether an owner lives; the others must not lose what they hold.
            "failoverTimeMillis": "500" if command == "status" else "600000",
        }
        self.tables.put(self.destination, {"id": {"S": "0"}, "secret": {"S": "another"}})  # for verify to look at again
        return main.main([command, "--copySegments=1", *(f"--{name}={value}" for name, value in given.items())])


@pytest.fixture(scope="module")
def stage(dynamodb: DynamoDBLocal, tables: Tables) -> Iterator[Stage]:
    """One for all."""
    with FaultProxy(dynamodb.endpoint) as proxy:
        yield Stage(tables, proxy)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is waited for: a try more would meet the same answer."""
    once = Config(connect_timeout=60, read_timeout=60, retries={"total_max_attempts": 1})
    monkeypatch.setattr(clients, "_READ_CONFIG", clients._READ_CONFIG.merge(once))
    limit_commands(monkeypatch, outage_seconds=0.0, denied_seconds=0.0)
    with as_process():
        yield
    logging.captureWarnings(capture=False)


def _judge(stage: Stage, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = stage.run(command)
    said = "".join(capsys.readouterr())
    assert "BUG" not in said, said
    assert "Traceback" not in said, said
    assert SECRET not in said
    assert status in DECIDED[command], said
    assert said


@pytest.mark.parametrize(("command", "operation"), EACH)
def test_an_answer_that_is_none(command: str, operation: str, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """A page, nothing, half an answer: each command says which call had it, and ends as it is decided."""
    for name in _share(EACH.index((command, operation))):
        fault = stage.proxy.inject(garbage.ALWAYS[name], operation)
        with ExitStack() as stack:
            stack.callback(fault.clear)
            _judge(stage, command, capsys)
            assert fault.met, f"{command} makes no call of {operation}"


@given(each=st.sampled_from(EACH), seed=st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_answer_with_a_fault(
    each: tuple[str, str], seed: int, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer with junk in one place is an error with a message, or makes no difference."""
    command, operation = each
    fault = stage.proxy.inject(garbage.mangled(seed), operation)
    with ExitStack() as stack:
        stack.callback(fault.clear)
        _judge(stage, command, capsys)
