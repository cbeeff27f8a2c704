"""``run.sh status``: reads a task's state once or repeatedly, and shows it."""

from __future__ import annotations

import sys
import time
from datetime import datetime

from processor.aws.clients import Clients
from processor.commands.status import lag, report, snapshot
from processor.commands.status.options import StatusOptions
from processor.commands.status.report import StatusReport
from processor.reporting import output
from processor.settings.settings import Settings

# Width of the output in a pipe: large, so that lines can be searched.
_PIPE_COLUMNS = 200


def run(settings: Settings, options: StatusOptions) -> int:
    """Show the task's state; with ``watch_seconds`` again and again at this interval, until Ctrl-C.

    :returns: 0 healthy; 1 lagging, or a shard without an owner, or something that keeps the task from replicating;
        5 if a part could not be read
    """
    clients = Clients(settings, connections=lag.THREADS)

    def look() -> StatusReport:
        return report.make(settings, snapshot.read(settings, clients), max_lag_seconds=options.max_lag_seconds)

    found = look()
    if options.watch_seconds is None:
        _show(found, as_json=options.as_json)
        return found.exit_status
    from rich.live import Live

    from processor.commands.status import render
    from processor.reporting.rich_console import PrintableConsole

    on_terminal = sys.stdout.isatty() and not options.as_json
    live = Live(render.render(found), console=PrintableConsole(), auto_refresh=False) if on_terminal else None
    try:
        if live:
            live.start(refresh=True)
        while True:
            if not live:
                if options.as_json:
                    output.json(found)
                else:
                    output.line(render.line(found, datetime.now().astimezone()), flush=True)
            time.sleep(options.watch_seconds)
            found = look()
            if live:
                live.update(render.render(found), refresh=True)
    except KeyboardInterrupt:  # the usual end of a watch
        return found.exit_status
    finally:
        if live:
            live.stop()


def _show(found: StatusReport, *, as_json: bool) -> None:
    if as_json:
        output.json(found)
        return
    # Imported only for people: it takes 0.1 s.
    from processor.commands.status import render
    from processor.reporting.rich_console import PrintableConsole

    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    PrintableConsole(width=width).print(render.render(found))
