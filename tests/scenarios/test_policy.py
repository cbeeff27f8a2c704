"""The real daemon with only what ``run.sh policy`` says that it needs.

Commands are in ``tests/protocol/test_policy.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from processor.commands.demo.workload import create_table
from processor.state import copy_rows, leases
from processor.state.copy_rows import CopyState
from tests.fakes.aws.guarded_task import TASK_ACCOUNT, GuardedTask
from tests.fakes.aws.moto_s3 import MotoS3
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
    until(lambda: "checkpoints_unusable" in running.console, "the outage on the console")
    throttled.clear()
    task.wait_used(ONCE_A_MINUTE, lease_table)
    assert running.stop() == 0
    assert set() == task.authority.denied
