"""``run.sh status`` of several tasks: all are looked at side by side, and each is one line."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from processor.aws.clients import Clients
from processor.commands.status import lag, report, snapshot
from processor.commands.status.options import StatusOptions
from processor.commands.status.report import NOT_HEALTHY, StatusReport
from processor.commands.status.task_status import TaskStatus
from processor.errors import UsageError
from processor.reporting import ending, output
from processor.reporting.task_output import end_of
from processor.settings import task_files
from processor.settings.settings import Settings
from processor.settings.task_files import NamedTask
from processor.system import open_files

# Tasks that are looked at side by side. Most of a look is a wait for a daemon's next renewal; each has its own threads.
AT_ONCE = 16
# Width of the output in a pipe: large, so that lines can be searched.
_PIPE_COLUMNS = 200


Look = Callable[[NamedTask], TaskStatus]


def run(tasks: Sequence[NamedTask], options: StatusOptions) -> int:
    """Show how the tasks stand; with ``watch_seconds`` again and again at this interval, until Ctrl-C.

    Each direction of a two-way task is one of them.

    :returns: the worst of their exit statuses; 130 or 143 if a signal came before all were looked at once
    """
    tasks = list(task_files.in_directions(tasks))
    open_files.allow_many()  # all clients keep their connections from one look to the next
    looks = Looks(max_lag_seconds=options.max_lag_seconds)
    if options.watch_seconds is None:
        found, signal_number = looks.at(tasks)
        _show(found, as_json=options.as_json)
        return _end_of(found, signal_number)
    return _watch(tasks, options, looks)


def _end_of(found: Sequence[TaskStatus], signal_number: int) -> int:
    return end_of([each.outcome for each in found], command="status", signal_number=signal_number)


class Looks:
    """Looks at tasks, again and again with the same clients.

    :param look: at one task; for tests
    """

    def __init__(self, *, max_lag_seconds: int, look: Look | None = None) -> None:
        self._max_lag_seconds = max_lag_seconds
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
        if task.settings is None:
            return TaskStatus(task=task, exit_status=UsageError.exit_status, message=task.error)
        try:
            made = self._report(task.file.path, task.settings)
        except Exception as exc:  # noqa: BLE001  # it ends the look at this task, not at the others
            ended = ending.of(exc)
            return TaskStatus(task=task, exit_status=ended.exit_status, message=ended.message)
        status = max(made.exit_status, NOT_HEALTHY) if task.findings else made.exit_status
        return TaskStatus(task=task, exit_status=status, report=made)

    def _report(self, path: str, settings: Settings) -> StatusReport:
        clients = self._clients.setdefault(path, Clients(settings, connections=lag.THREADS))
        return report.make(settings, snapshot.read(settings, clients), max_lag_seconds=self._max_lag_seconds)


def _result(task: NamedTask, future: Future[TaskStatus]) -> TaskStatus:
    return future.result() if future.done() and not future.cancelled() else TaskStatus(task=task, exit_status=None)


def _show(found: Sequence[TaskStatus], *, as_json: bool) -> None:
    if as_json:
        output.json([each.outcome for each in found])
        return
    # Imported only for people: it takes 0.1 s.
    from processor.commands.status import overview
    from processor.reporting.rich_console import PrintableConsole

    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    PrintableConsole(width=width).print(overview.Overview(found))
    sys.stdout.flush()
    if details := list(_details(found)):
        output.say(*details)


def _details(found: Sequence[TaskStatus]) -> Iterator[str]:
    """What is wrong with tasks' settings and between tasks, in full: the status of one of them doesn't have it."""
    for finding in dict.fromkeys(finding.lines for each in found for finding in each.task.findings):
        yield from finding
    for each in found:
        if each.message:
            yield each.task.heading
            yield each.message
            yield from (f"        {line}" for line in each.task.where(each.message))


def _watch(tasks: Sequence[NamedTask], options: StatusOptions, looks: Looks) -> int:
    assert options.watch_seconds is not None  # noqa: S101  # else nobody watches
    found, signal_number = looks.at(tasks)
    if signal_number:
        _show(found, as_json=options.as_json)
        return _end_of(found, signal_number)
    with contextlib.ExitStack() as stack:
        show = _shower(stack, as_json=options.as_json)
        try:
            while True:
                show(found)
                time.sleep(options.watch_seconds)
                latest, signal_number = looks.at(tasks)
                if signal_number:
                    break
                found = latest
        except KeyboardInterrupt:  # the usual end of a watch
            pass
    return _end_of(found, 0)


def _shower(stack: contextlib.ExitStack, *, as_json: bool) -> Callable[[Sequence[TaskStatus]], None]:
    """Shows one look after the other: a list, lines, or on a terminal a table that stays in its place."""
    if as_json:
        return lambda found: output.json([each.outcome for each in found])
    from rich.live import Live

    from processor.commands.status import overview
    from processor.reporting.rich_console import PrintableConsole

    if not sys.stdout.isatty():

        def lines(found: Sequence[TaskStatus]) -> None:
            at = datetime.now().astimezone()
            for line in overview.lines(found, at):
                output.line(line, flush=True)

        return lines
    live = stack.enter_context(Live(console=PrintableConsole(), auto_refresh=False))
    return lambda found: live.update(overview.Overview(found, at=datetime.now().astimezone(), fits=True), refresh=True)
