"""The real daemon with only what ``run.sh policy`` says that it needs.

Commands are in ``tests/protocol/test_policy.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from processor.commands.demo.workload import create_table
from processor.settings.settings import UPLINK_SUFFIX
from processor.state import copy_rows, leases
from processor.state.copy_rows import CopyState
from tests.fakes.aws.guarded_task import DESTINATION_ACCOUNT, TASK_ACCOUNT, Grant, GuardedTask
from tests.fakes.aws.moto_s3 import MotoS3
from tests.fakes.daemon.direction_probe import DirectionProbe
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.patience import until
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.scenarios.conftest import Servers

KEEPER = f"arn:aws:iam::{TASK_ACCOUNT}:role/keeper"
# The adapter removes leases of shards that the stream has no more, once a minute: too long to wait for here.
ONCE_A_MINUTE = "dynamodb:DeleteItem"
# Only the destination has it, and keeps it: a difference, whose key the verification looks up in both tables.
STRANGE = "strange"


class Stage:
    """A simulated source with one shard, a task that has a role for each side, and what became of it."""

    def __init__(self, task: GuardedTask, simulator: StreamsSimulator) -> None:
        self.task = task
        self.simulator = simulator
        self._keys: set[str] = set()

    def put(self, *keys: str) -> None:
        """Write to the source, and wait until the destination has just what the source has."""
        for key in keys:
            self.simulator.put({"id": {"S": key}})
        self._wait(self._keys | set(keys))

    def delete(self, key: str) -> None:
        """As ``put``."""
        self.simulator.delete({"id": {"S": key}})
        self._wait(self._keys - {key})

    def _wait(self, keys: set[str]) -> None:
        client, table = self.task.there, self.task.destination_table

        def found() -> set[str]:
            assert set() == self.task.authority.denied  # else it would be waited for in vain
            items = client.scan(TableName=table, ConsistentRead=True)["Items"]
            return {item["id"]["S"] for item in items} - {STRANGE}

        until(lambda: found() == keys, f"{keys} at the destination", pause_seconds=0.1)
        self._keys = keys

    def wait_begun(self) -> None:
        """Until there is a checkpoint."""
        until(lambda: leases.begun(self._leases()), "a checkpoint")

    def _leases(self) -> list[leases.Lease]:
        return leases.read(self.task.db, self.task.settings.checkpoint_table) or []

    def leave_a_copy(self) -> None:
        """One that is done, which a replication has followed."""
        now = int(time.time() * 1000)
        done = CopyState(id="c", state="done", started_ms=now, finished_ms=now, stream_arn=self.simulator.stream_arn)
        copy_rows.write(self.task.db, self.task.settings.task_table, done, before=None)


@pytest.fixture
def stage(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """With nothing granted."""
    with (
        MotoS3() as moto,
        StreamsSimulator(shards=1, seed=1) as simulator,
        GuardedTask(
            moto.endpoint,
            servers.destination,
            source=(simulator.endpoint, simulator.stream_arn.partition("table/")[0]),
            sourceTable=simulator.table,
            kclRoleArn=KEEPER,
            dontPublishCloudwatch="false",
            heartbeatSeconds="1",
            metricsBufferTimeMillis="500",
            verifyEvery="24h",
        ) as task,
    ):
        for name, value in task.environment.items():
            monkeypatch.setenv(name, value)
        create_table(task.there, task.destination_table, stream=False)
        task.there.put_item(TableName=task.destination_table, Item={"id": {"S": STRANGE}})
        yield Stage(task, simulator)


def test_the_daemon_needs_what_is_listed_and_no_more(stage: Stage, replicator: Callable[..., Replicator]) -> None:
    """Started, stopped and started again with the printed policies, it is denied nothing, and uses all of them."""
    task = stage.task
    task.grant("replicate")
    assert {"sts:AssumeRole"} == {grant.action for grant in task.granted() if grant.principal == "task"}
    running = replicator(task.given)
    running.start(environment=task.environment)
    stage.put("one")
    stage.put(*map(str, range(50)))
    stage.delete("one")
    stage.wait_begun()
    assert running.stop() == 0
    stage.leave_a_copy()
    task.withdraw_first_start()
    running.start(environment=task.environment)
    stage.put("two")
    lease_table = task.settings.checkpoint_table
    # What is noted of an outage in the task table is deleted when it is over.
    throttled = task.throttle_leases()
    until(lambda: running.events("checkpoints_unusable"), "the outage on the console")
    throttled.clear()
    task.wait_used(ONCE_A_MINUTE, lease_table)
    assert running.stop() == 0
    assert set() == task.authority.denied


def test_a_two_way_daemon_needs_what_is_listed(
    servers: Servers, replicator: Callable[..., Replicator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both directions put and delete, and keep a conflict: they are denied nothing. What it leaves unused is named."""
    with (
        MotoS3() as moto,
        GuardedTask(
            moto.endpoint,
            servers.destination,
            kclRoleArn=KEEPER,
            heartbeatSeconds="1",
            dontPublishCloudwatch="true",
            twoWay="true",
            conflictUri="s3://conflicts/of",
        ) as task,
    ):
        for name, value in task.environment.items():
            monkeypatch.setenv(name, value)
        moto.client().create_bucket(Bucket="conflicts")
        hub, spoke = (task.db, task.source_table), (task.there, task.destination_table)
        for client, table in (hub, spoke):
            create_table(client, table, stream=True)
        task.grant("replicate")
        task_tables = f"arn:aws:dynamodb:us-east-1:{TASK_ACCOUNT}:table/"
        there = f"arn:aws:dynamodb:eu-west-1:{DESTINATION_ACCOUNT}:table/"
        running = replicator(task.given)
        running.start(environment=task.environment)

        def items(side: tuple[Any, str]) -> dict[str, str]:
            assert set() == task.authority.denied  # else it would be waited for in vain
            client, table = side
            found = client.scan(TableName=table, ConsistentRead=True)["Items"]
            return {each["id"]["S"]: each["v"]["S"] for each in found if "v" in each}

        def put(side: tuple[Any, str], key: str, value: str) -> None:
            client, table = side
            client.put_item(TableName=table, Item={"id": {"S": key}, "v": {"S": value}})

        probe = DirectionProbe(hub, spoke)

        def begun() -> bool:
            assert set() == task.authority.denied  # else it would be waited for in vain
            return probe()

        until(begun, "both directions", pause_seconds=0.1)
        for number in range(200):
            put(spoke, "both", f"spoke {number}")
            put(hub, "both", f"hub {number}")
            if "conflict " in running.log():
                break
        probe.remove()
        until(lambda: items(hub) == items(spoke) == {"both": items(hub)["both"]}, "hub = spoke", pause_seconds=0.1)
        assert moto.client().list_objects_v2(Bucket="conflicts", Prefix="of/")["KeyCount"]
        assert running.stop() == 0
        assert set() == task.authority.denied
        lease_table = task.settings.checkpoint_table
        rows = {f"{lease_table}{name}-Task" for name in ("", UPLINK_SUFFIX)}
        assert task.unused() <= {
            # Leases of shards that are gone, and what an outage or a finished copy has left.
            *(Grant("keeper", ONCE_A_MINUTE, f"{task_tables}{lease_table}{name}") for name in ("", UPLINK_SUFFIX)),
            *(
                Grant("keeper", f"dynamodb:{action}", task_tables + name)
                for action in ("DeleteItem", "UpdateItem")
                for name in rows
            ),
            # Where a write's answer does not say what is in its way.
            Grant("writer", "dynamodb:GetItem", f"{there}{task.destination_table}"),
        }
