"""The order in which tasks and shards are shown: the worst first. Pure."""

from __future__ import annotations

from processor.state.status.lineage import ShardState
from processor.state.status.task_status import TaskStatus


def of_task(found: TaskStatus) -> tuple[bool, bool, int, int, str]:
    """The worst first: lost changes, then by the exit status, then by the lag; last those that were not looked at.

    Lags are whole seconds here, so that the lines of a watch don't change places for nothing.
    """
    lag = int((found.report.lag_seconds if found.report else None) or 0)
    status = found.exit_status
    return (status is None, not found.has_losses, -(status or 0), -lag, found.task.file.path)


def of_shard(shard: ShardState) -> tuple[bool, bool, float, str]:
    """The worst first: lost changes, then those that nobody reads, then by the lag."""
    return (not shard.lost, shard.state != "unowned", -(shard.lag_seconds or 0), shard.shard_id)
