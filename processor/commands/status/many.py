"""``run.sh status`` of several tasks: all are looked at side by side, and each is one line."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from processor.commands.status.options import StatusOptions
from processor.replication.dead_letters import census
from processor.reporting import output
from processor.reporting.task_output import end_of
from processor.settings import named_task
from processor.settings.named_task import NamedTask
from processor.state.status.looks import Looks
from processor.state.status.task_status import TaskStatus
from processor.system import open_files

# Width of the output in a pipe: large, so that lines can be searched.
_PIPE_COLUMNS = 200


def run(tasks: Sequence[NamedTask], options: StatusOptions) -> int:
    """Show how the tasks stand; with ``watch_seconds`` again and again at this interval, until Ctrl-C.

    Each direction of a two-way task is one of them.

    :returns: the worst of their exit statuses; 130 or 143 if a signal came before all were looked at once
    """
    tasks = list(named_task.in_directions(tasks))
    open_files.allow_many()  # all clients keep their connections from one look to the next
    looks = Looks(max_lag_seconds=options.max_lag_seconds, letters=census.count)
    if options.watch_seconds is None:
        found, signal_number = looks.at(tasks)
        _show(found, as_json=options.as_json)
        return _end_of(found, signal_number)
    return _watch(tasks, options, looks)


def _end_of(found: Sequence[TaskStatus], signal_number: int) -> int:
    return end_of([each.outcome for each in found], command="status", signal_number=signal_number)


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
