"""What a look may have seen of a task, judged as ``run.sh status`` does, for the page's tests."""

from __future__ import annotations

from typing import Any

from processor.commands.console.known import Known
from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile
from processor.state.leases import Lease
from processor.state.liveness import Daemon
from processor.state.status import report
from processor.state.status.lineage import Lag, Pending, ShardState
from processor.state.status.snapshot import Seen, Stream
from processor.state.status.task_status import TaskStatus
from tests.fakes.task import tasks


def shard(shard_id: str = "shardId-1", **changed: Any) -> ShardState:
    """One that is read, and has nothing left to apply."""
    given: dict[str, Any] = {
        "shard_id": shard_id,
        "state": "reading",
        "open": True,
        "owner": "w-1",
        "checkpoint": "400",
        "parent": None,
        "parent_state": None,
        "lag_seconds": 0.0,
    }
    return ShardState(**given | changed)


def lag(seconds: float, pending: int, *, more: bool = False) -> Lag:
    """So far behind, with so many records."""
    return Lag(seconds=seconds, pending=Pending(count=pending, more=more))


def known(
    *shards: ShardState,
    name: str = "orders",
    common: str | None = None,
    alive: bool = True,
    lags: dict[str, Lag] | None = None,
    settings: dict[str, str] | None = None,
    **seen: Any,
) -> Known:
    """What is known after such a look."""
    made = tasks.task(**settings or {})
    task = NamedTask(file=TaskFile(path=f"conf/{name}.properties", common=common), settings=made, places={})
    shards = shards or (shard(),)
    table = {"TableStatus": "ACTIVE"}
    look = Seen(
        **{
            "source": table | {"LatestStreamArn": "arn", "StreamSpecification": {"StreamEnabled": True}},
            "destination": table,
            "leases": [Lease(shard_id=each.shard_id, owner="w-1", counter=1, checkpoint="1") for each in shards],
            "daemons": [Daemon(owner="w-1", shards=len(shards), alive=alive)],
            "stream": Stream(arn="arn", status="ENABLED"),
            "shards": list(shards),
            "holds": [],
            "unread": [],
        }
        | seen
    )
    status = report.make(made, look, max_lag_seconds=60)
    found = TaskStatus(task=task, exit_status=status.exit_status, report=status)
    return Known(topic=name, found=found, at_ms=1_000, lags=lags or {})
