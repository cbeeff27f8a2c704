"""``run.sh status``: reads a task's state once or repeatedly, and shows it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from processor.aws.clients import Clients
from processor.commands.status.options import StatusOptions
from processor.replication.dead_letters import census
from processor.reporting import output
from processor.settings.settings import Settings
from processor.state.status import lag, report, snapshot
from processor.state.status.report import StatusReport

if TYPE_CHECKING:
    from rich.console import RenderableType

# Width of the output in a pipe: large, so that lines can be searched.
_PIPE_COLUMNS = 200


def run(settings: Settings, options: StatusOptions) -> int:
    """Show the task's state; with ``watch_seconds`` again and again at this interval, until Ctrl-C.

    :returns: 0 healthy; 1 lagging, or a shard without an owner, or something that keeps the task from replicating;
        5 if a part could not be read
    """
    directions = [(each, Clients(each, connections=lag.THREADS)) for each in settings.in_directions]

    def look() -> list[StatusReport]:
        with ThreadPoolExecutor(len(directions), thread_name_prefix="direction") as pool:
            return list(pool.map(lambda each: _look(each[0], each[1], options), directions))

    found = look()
    if options.watch_seconds is None:
        _show(found, as_json=options.as_json)
        return _exit_status(found)
    return _watch(found, look, options.watch_seconds, as_json=options.as_json)


def _watch(found: list[StatusReport], look: Callable[[], list[StatusReport]], seconds: int, *, as_json: bool) -> int:
    from rich.live import Live

    from processor.commands.status import render
    from processor.reporting.rich_console import PrintableConsole

    on_terminal = sys.stdout.isatty() and not as_json
    live = Live(_rendered(found), console=PrintableConsole(), auto_refresh=False) if on_terminal else None
    try:
        if live:
            live.start(refresh=True)
        while True:
            if as_json:
                output.json(_one(found))
            elif not live:
                for each in found:
                    output.line(render.line(each, datetime.now().astimezone()), flush=True)
            time.sleep(seconds)
            found = look()
            if live:
                live.update(_rendered(found), refresh=True)
    except KeyboardInterrupt:  # the usual end of a watch
        return _exit_status(found)
    finally:
        if live:
            live.stop()


def _look(settings: Settings, clients: Clients, options: StatusOptions) -> StatusReport:
    seen = snapshot.read(settings, clients, census.count)
    return report.make(settings, seen, max_lag_seconds=options.max_lag_seconds)


def _exit_status(found: Sequence[StatusReport]) -> int:
    return max(each.exit_status for each in found)


def _one(found: Sequence[StatusReport]) -> StatusReport:
    """For scripts, of either direction or of both."""
    return found[0] if len(found) == 1 else report.both(*found)


def _rendered(found: Sequence[StatusReport]) -> RenderableType:
    from rich.console import Group

    from processor.commands.status import render

    first, *others = [render.render(each) for each in found]
    return Group(first, *(part for each in others for part in ("", each))) if others else first


def _show(found: Sequence[StatusReport], *, as_json: bool) -> None:
    if as_json:
        output.json(_one(found))
        return
    # Imported only for people: it takes 0.1 s.
    from processor.reporting.rich_console import PrintableConsole

    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    PrintableConsole(width=width).print(_rendered(found))
