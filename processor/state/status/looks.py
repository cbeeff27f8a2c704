"""Looks at several tasks side by side, again and again with the same clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from processor.aws.clients import Clients
from processor.errors import UsageError
from processor.reporting import ending
from processor.settings.named_task import NamedTask
from processor.settings.settings import Settings
from processor.state.status import lag, report, snapshot
from processor.state.status.letters import CountLetters
from processor.state.status.report import NOT_HEALTHY, StatusReport
from processor.state.status.task_status import TaskStatus

# Tasks that are looked at side by side. Most of a look is a wait for a daemon's next renewal; each has its own threads.
AT_ONCE = 16

Look = Callable[[NamedTask], TaskStatus]


class Looks:
    """All looks at some tasks.

    :param max_lag_seconds: how far a healthy shard may be behind
    :param look: at one task; for tests
    """

    def __init__(self, *, max_lag_seconds: int, letters: CountLetters, look: Look | None = None) -> None:
        self._max_lag_seconds = max_lag_seconds
        self._letters = letters
        self._clients: dict[str, Clients] = {}
        self._look = look or self._at_one

    def at(self, tasks: Sequence[NamedTask]) -> tuple[list[TaskStatus], int]:
        """Look at each, until a signal comes.

        :returns: how they stand, in their order; and the signal's number, 0 if none came
        """
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="task")
        begun = [pool.submit(self._look, task) for task in tasks]
        try:
            wait(begun)
            number = 0
        except KeyboardInterrupt as exc:
            number = ending.interrupted(exc) - ending.INTERRUPTED
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return [_result(task, future) for task, future in zip(tasks, begun, strict=True)], number

    def _at_one(self, task: NamedTask) -> TaskStatus:
        return judged(task, self._report)

    def _report(self, task: NamedTask, settings: Settings) -> StatusReport:
        clients = self._clients.setdefault(task.file.path, Clients(settings, connections=lag.THREADS))
        seen = snapshot.read(settings, clients, self._letters)
        return report.make(settings, seen, max_lag_seconds=self._max_lag_seconds)


def judged(task: NamedTask, look: Callable[[NamedTask, Settings], StatusReport]) -> TaskStatus:
    """How a task stands by a look at it, whatever comes of that."""
    if task.settings is None:
        return TaskStatus(task=task, exit_status=UsageError.exit_status, message=task.error)
    try:
        made = look(task, task.settings)
    except Exception as exc:  # noqa: BLE001  # it ends the look at this task, not at the others
        ended = ending.of(exc)
        return TaskStatus(
            task=task, exit_status=ended.exit_status, message=ended.message, reasons=tuple(ended.findings)
        )
    status = max(made.exit_status, NOT_HEALTHY) if task.findings else made.exit_status
    return TaskStatus(task=task, exit_status=status, report=made)


def _result(task: NamedTask, future: Future[TaskStatus]) -> TaskStatus:
    return future.result() if future.done() and not future.cancelled() else TaskStatus(task=task, exit_status=None)
